"""Sessions by Kamailio's MSRP relay: long texts and files, over TCP and over TLS, compared octet by octet."""

import os
import random
import subprocess

from parts import Missed, until
from screens import add_contact, go_to
from servers import DOMAIN

DAVE, ERIN = f"dave@{DOMAIN}", f"erin@{DOMAIN}"
LONG = " ".join(f"word{n}" for n in range(600)) + " grüße"
OCTETS = 5_000_000


def paste(screen, text):
    """Puts a text into the composer at once, as a terminal pastes it."""
    screen.sees("Write a message")
    subprocess.run(["tmux", "-S", screen.tmux, "load-buffer", "-"], input=text, text=True, check=True)
    screen.call("paste-buffer", "-p", "-t", screen.name)
    screen.sees("grüße")
    screen.keys("Enter")


def talk_to(screen, address, known=False):
    """Opens the conversation with somebody."""
    if not known:
        add_contact(screen, address)
    go_to(screen, address.split("@")[0])
    screen.keys("Enter")
    screen.sees("Write a message")


class Sessions:
    """Every method with words is one line of the table."""

    def _long(self, here, there, proto):
        relay = f"in: MSRP SEND .*\\({proto}"
        before = len(self._lab.kamailio.heard_all(relay))
        paste(here, LONG)
        there.sees("word599 grüße")
        here.sees("grüße +✓✓")
        if len(self._lab.kamailio.heard_all(relay)) <= before:
            raise Missed(f"nothing passed the relay over {proto}")
        copy = self._lab.dir / f"{there.name}.txt"
        there.type(f"/export {copy}")
        there.keys("Enter")
        until("the export", copy.is_file)
        if LONG not in " ".join(copy.read_text().split()):
            raise Missed(f"the text in {copy} is not the one that was sent")

    def _file(self, here, there, name):
        file = self._lab.dir / name
        file.write_bytes(random.Random(name).randbytes(OCTETS))
        here.type(f"/send {file}")
        here.keys("Enter")
        there.sees("offers you a file")
        there.accepts(f"{name} · 5.0 MB")
        there.sees("saved as")
        here.sees("has it")
        came = self._lab.home / "Downloads" / name
        if came.read_bytes() != file.read_bytes():
            raise Missed(f"{came} is not the file that was sent")
        if came.stat().st_mode & 0o077:
            raise Missed(f"{came} may be read by others")
        half = [f for f in os.listdir(came.parent) if f.startswith(".adsum-")]
        if half:
            raise Missed(f"left behind: {half}")

    def long_text(self):
        """a long text goes by the MSRP relay over TCP and arrives letter by letter"""
        self.sender = self._lab.screen("dave")
        self.taker = self._lab.screen("erin")
        talk_to(self.sender, ERIN)
        talk_to(self.taker, DAVE)
        self._long(self.sender, self.taker, "tcp")

    def file(self):
        """a file of 5 MB goes by the MSRP relay over TCP and is the same octet by octet"""
        self._file(self.sender, self.taker, "over tcp.bin")

    def file_declined(self):
        """an offered file is declined, another broken off; nothing is left of them"""
        file = self._lab.dir / "unwanted.bin"
        file.write_bytes(bytes(100))
        self.sender.type(f"/send {file}")
        self.sender.keys("Enter")
        self.taker.sees("unwanted.bin · 100 B")
        self.taker.keys("M-n")
        self.sender.sees("does not want it")
        self.sender.type(f"/send {file}")
        self.sender.keys("Enter")
        self.taker.sees("offers you a file")
        self.sender.type("/cancel")
        self.sender.keys("Enter")
        self.taker.sees("broke it off")
        if (self._lab.home / "Downloads" / "unwanted.bin").exists():
            raise Missed("unwanted.bin was saved")
        for screen in (self.sender, self.taker):
            screen.keys("C-q")
            until(f"{screen.name} ends", screen.is_over)
            screen.end()

    def secure_sessions(self):
        """a long text and a file go by the MSRPS relay over TLS, and are the same"""
        settings = {"tls": True, "server": f"127.0.0.1:{self._lab.kamailio.tls}", "ca_file": str(self._lab.kamailio.dir / "ca.pem")}
        self.sender = self._lab.screen("dave", **settings)
        self.taker = self._lab.screen("erin", **settings)
        talk_to(self.sender, ERIN, known=True)
        talk_to(self.taker, DAVE, known=True)
        self._long(self.sender, self.taker, "tls")
        self._file(self.sender, self.taker, "over tls.bin")
        for screen in (self.sender, self.taker):
            screen.keys("C-q")
            until(f"{screen.name} ends", screen.is_over)
            screen.end()
