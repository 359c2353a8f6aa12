"""Sessions without a relay, with a program of our own that talks MSRP: adsum connects to it."""

import os
import random

from parts import Missed, until
from peer import Peer, refused
from servers import DOMAIN
from sessions import talk_to

DAVE, HEIDI = f"dave@{DOMAIN}", f"heidi@{DOMAIN}"
OCTETS = 300_000


class Direct:
    """Every method with words is one line of the table."""

    def direct_out(self):
        """without a relay adsum connects to another program itself, which gets a file in chunks, the same octet by octet"""
        self.peer = self._lab.keep(Peer("heidi", DOMAIN, self._lab.kamailio.sip))
        self.direct = self._lab.screen("dave", msrp_relay="none")
        talk_to(self.direct, HEIDI)
        file = self._lab.dir / "direct out.bin"
        file.write_bytes(random.Random(1).randbytes(OCTETS))
        self.direct.type(f"/send {self._lab.dir}/direct")
        self.direct.keys("Tab")
        self.direct.sees(r"direct out\.bin")
        self.direct.keys("Enter")
        self.direct.sees("has it")
        data, chunks = until("the file", lambda: self.peer.received.get("direct out.bin"))
        if data != file.read_bytes() or chunks < 2:
            raise Missed(f"{len(data)} octets came in {chunks} chunks")
        if "a=setup:active" not in self.peer.heard[0]:
            raise Missed(self.peer.heard[0])

    def direct_in(self):
        """without a relay a file of another program comes in chunks whose ends nobody said, is the same, and is confirmed"""
        data = random.Random(2).randbytes(OCTETS)
        self._offered("direct in.bin", data, "whole")
        self.direct.sees("saved as")
        if (self._lab.home / "Downloads" / "direct in.bin").read_bytes() != data:
            raise Missed("the file is another one")
        until("the report", lambda: "REPORT" in self.peer.heard)

    def direct_broken(self):
        """what is cut off within a chunk, given up, changed or no MSRP at all ends with a sentence each; nothing is left of it"""
        data = random.Random(3).randbytes(OCTETS)
        for how, words in (("cut off", "closed the connection"), ("given up", "gave it up"), ("changed", "is not what was sent"),
                           ("garbage", "does not speak MSRP")):
            self._offered(f"{how}.bin", data, how)
            self.direct.sees(words)
        left = [f for f in os.listdir(self._lab.home / "Downloads") if f.startswith((".adsum-", "cut", "given", "changed", "garbage"))]
        if left:
            raise Missed(f"left behind: {left}")
        self._offered("after all.bin", data, "whole")
        came = self._lab.home / "Downloads" / "after all.bin"
        until("the last file", lambda: came.is_file() and came.read_bytes() == data)

    def direct_refused(self):
        """a program that only connects itself gets a refusal with its reason, and the person hears it; messages go on"""
        answers = self._offered("active.bin", b"x" * 10, "whole", setup="active")
        status, words = refused(answers)
        if status != 488 or "no way" not in words:
            raise Missed(f"{status} {words}")
        self.direct.sees("not saved: .*no way")
        self.peer.say(DAVE, "then by a message")
        self.direct.sees("then by a message")
        self.direct.keys("C-q")
        until("dave ends", self.direct.is_over)
        self.direct.end()

    def _offered(self, name, data, how, setup="passive"):
        answers = self.peer.offer(DAVE, name, data, how, setup)
        self.direct.sees("offers you a file")
        self.direct.sees(name)
        self.direct.keys("M-y")
        return answers
