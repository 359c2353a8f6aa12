"""What is tried, in this order; every method with words is one line of the table. Parts of their own stand in classes before `Flows`."""

import re
import shutil
import time

from conferences import Conferences
from direct import Direct
from lists import Lists
from meetings import Meetings
from parts import Missed, Tee, Terminal, until
from screens import add_contact, go_to, say, write_to
from servers import DOMAIN, Baresip, Linphone, NameServer
from sessions import Sessions

ALICE, BOB, CAROL, DAVE, ERIN = (f"{n}@{DOMAIN}" for n in ("alice", "bob", "carol", "dave", "erin"))


class Between:
    """Two people with adsum."""

    def __init__(self, lab):
        self._lab = lab

    def sign_in(self):
        """adsum signs in over TCP with Digest"""
        self.alice = self._lab.screen("alice")
        until("REGISTER", lambda: self._lab.kamailio.heard(rf"in: REGISTER \S+ from sip:{ALICE} \(tcp"))

    def second_person(self):
        """a second adsum signs in; both have each other on the list"""
        for who in ("alice", "bob", "carol"):
            self._lab.kamailio.let_everybody_see(who)
        self.carol = self._lab.screen("carol")
        add_contact(self.alice, CAROL)
        add_contact(self.carol, ALICE)
        add_contact(self.alice, BOB)

    def sees_each_other(self):
        """presence of each appears at the other"""
        self.alice.sees("● carol")
        self.carol.sees("● alice")

    def presence_changes(self):
        """a state and a note set by one appear at the other"""
        go_to(self.carol, "alice")
        self.carol.keys("Enter")
        say(self.carol, "/status busy")
        say(self.carol, "/note writing the report")
        self.alice.sees("carol.* Busy")
        go_to(self.alice, "carol")
        self.alice.keys("Enter")
        self.alice.sees("carol@.*Busy.*writing the report")

    def messages(self):
        """messages go both ways, and are told to have arrived"""
        write_to(self.alice, "carol", "hello from alice")
        self.carol.sees("hello from alice")
        self.alice.sees("hello from alice +✓")
        say(self.carol, "hello from carol, Grüße & 漢字 <b>")
        self.alice.sees("hello from carol, Grüße & 漢字 <b>")

    def typing(self):
        """typing of one shows at the other"""
        self.carol.type("so")
        self.alice.sees("carol.*(typ|writ)ing|✎")
        self.carol.keys("C-u")

    def offline(self):
        """a message to somebody who is away is kept by the server and comes at their sign-in"""
        self.carol.keys("C-q")
        until("carol ends", lambda: "dead" in self.carol.screen() or not self.carol.screen().strip())
        self.carol.end()
        self.alice.sees("○ carol|carol +Offline")
        say(self.alice, "for when you are back")
        until("kept", lambda: self.alice.screen().count("for when you are back"))
        time.sleep(1)
        self.carol = self._lab.screen("carol")
        self.carol.sees("for when you are back")
        self.alice.sees("● carol")


class Ways:
    """How messages travel."""

    def datagrams(self):
        """adsum signs in over UDP; messages go both ways, a long one in parts; what is too large for a datagram goes over TCP beside it"""
        self._lab.kamailio.let_everybody_see("dave")
        self.dave = self._lab.screen("dave", udp=True, msrp_relay="none")
        until("REGISTER", lambda: self._lab.kamailio.heard(rf"in: REGISTER \S+ from sip:{DAVE} \(udp"))
        add_contact(self.alice, DAVE)
        add_contact(self.dave, ALICE)
        self.alice.sees("● dave")
        self.dave.sees("● alice")
        write_to(self.alice, "dave", "hello over UDP")
        self.dave.sees("hello over UDP")
        self.alice.sees("hello over UDP +✓")
        write_to(self.dave, "alice", "long " * 280 + "end")
        self.alice.sees(r"\(1/4\) long long")
        self.alice.sees("long end")
        self.dave.sees("long end +✓")
        if self._lab.kamailio.heard(rf"in: MESSAGE \S+ from sip:{DAVE} \(tcp"):
            raise Missed("a part was too large for a datagram")
        say(self.dave, "/note " + "and so on " * 40)
        self.alice.sees("dave.*and so on")
        until("PUBLISH over TCP", lambda: self._lab.kamailio.heard(rf"in: PUBLISH \S+ from sip:{DAVE} \(tcp"))
        self._leave("dave")

    def behind_nat(self):
        """adsum behind something that changes its port: the server reaches it where it sees it"""
        tee = Tee(self._lab.kamailio.sip, self._lab.dir / "dave.wire")
        self.dave = self._lab.screen("dave", server=f"127.0.0.1:{tee.port}")
        self.alice.sees("● dave")
        write_to(self.alice, "dave", "hello behind NAT")
        self.dave.sees("hello behind NAT")
        self.alice.sees("hello behind NAT +✓")
        self._leave("dave")

    def account_add(self):
        """adsum account add finds server, transport and dialect of an address by the DNS; what it wrote signs in"""
        dns = self._lab.keep(NameServer({"_sips._tcp." + DOMAIN: (self._lab.kamailio.tls, "localhost"),
                                         "_sip._udp." + DOMAIN: (self._lab.kamailio.sip, "localhost")}))
        config = self._lab.dir / "added.toml"
        said = self._lab.tool(config, "account", "add", DAVE, "--name-server", f"127.0.0.1:{dns.port}", "--password-command", "echo dave-secret",
                              "--ca", str(self._lab.kamailio.dir / "ca.pem"))
        if "speaks standard SIP over TLS (kamailio" not in said or "\nserver =" in config.read_text():
            raise Missed(said + config.read_text())
        self._lab.tool(config, "send", ALICE, "found by the DNS")
        go_to(self.alice, "dave")
        self.alice.keys("Enter")
        self.alice.sees("found by the DNS")

    def account_pinned(self):
        """a server that nobody knows is trusted by its fingerprint alone, and no other then"""
        config, server = self._lab.dir / "pinned.toml", f"127.0.0.1:{self._lab.kamailio.tls}"
        words = ["account", "add", DAVE, "--server", server, "--password-command", "echo dave-secret"]
        refused = self._lab.tool(config, *words, fails=True)
        pin = re.search(r"--pin (sha256:[0-9a-f]{64})", refused)
        if not pin or "issued by Authority of the tests" not in refused or config.exists():
            raise Missed(refused)
        self._lab.tool(config, *words, "--pin", pin[1])
        config.write_text(config.read_text().replace(pin[1], "sha256:" + "0" * 64))
        refused = self._lab.tool(config, "send", ALICE, "nobody hears this", fails=True)
        if "another certificate than the one pinned" not in refused:
            raise Missed(refused)

    def password_again(self):
        """a password that the server refuses is typed again on the screen, unseen, and signs in"""
        config = self._lab.config("dave", password_command="echo something-else")
        command = [self._lab.adsum, "--config", config, "--data", str(self._lab.dir / "dave.again")]
        self.dave = Terminal(self._lab.tmux, "dave", command, {"HOME": str(self._lab.home)}, "tmux-256color")
        self.dave.sees("The server refused the password; type it again")
        self.dave.type("dave-secret")
        self.dave.sees("•••••••••••")
        self.dave.lacks("dave-secret")
        self.dave.keys("Enter")
        self.dave.sees("⇅")
        self._leave("dave")

    def _leave(self, who):
        screen = getattr(self, who)
        screen.keys("C-q")
        until(f"{who} ends", lambda: "dead" in screen.screen() or not screen.screen().strip())
        screen.end()


class Words:
    """Commands without the screen."""

    def send_command(self):
        """adsum send --json sends a message"""
        status, said = self._lab.once("dave", "send", ALICE, "a word from dave", "--json")
        if status:
            raise Missed(said)
        self.alice.sees("dave")


class Secure:
    """TLS and certificates."""

    def tls(self):
        """adsum signs in over TLS with the authority that the account names"""
        status, said = self._lab.once("dave", "send", ALICE, "over TLS", "--json", tls=True, server=f"127.0.0.1:{self._lab.kamailio.tls}",
                                      ca_file=str(self._lab.kamailio.dir / "ca.pem"))
        if status:
            raise Missed(said)
        until("REGISTER", lambda: self._lab.kamailio.heard(r"in: REGISTER \S+ from sip:dave@\S+ \(tls"))

    def stranger(self):
        """a certificate of an authority that nobody knows is refused with a sentence"""
        status, said = self._lab.once("dave", "send", ALICE, "over TLS", "--json", tls=True, server=f"127.0.0.1:{self._lab.kamailio.tls}")
        if not status or "ca_file" not in said:
            raise Missed(said)

    def other_name(self):
        """a certificate for another name is refused with a sentence"""
        status, said = self._lab.once("dave", "send", ALICE, "over TLS", "--json", tls=True, server=f"localhost:{self._lab.kamailio.tls}",
                                      address="dave@elsewhere.test", ca_file=str(self._lab.kamailio.dir / "ca.pem"))
        if not status or "another name" not in said:
            raise Missed(said)


class WithBaresip:
    """bob has baresip."""

    def baresip(self):
        """baresip signs in as bob: adsum shows him"""
        self.bob = self._lab.keep(Baresip(self._lab.dir, "bob", self._lab.kamailio, ["alice"]))
        until("bob is registered", lambda: self._lab.kamailio.heard(rf"in: PUBLISH sip:{BOB}"))
        self.alice.sees("● bob")

    def baresip_presence(self):
        """baresip goes offline and comes back: adsum shows it"""
        # baresip publishes twice when it signs in and remembers one; the other says online until its minute is over.
        self.bob.tell("presence_offline")
        self.alice.sees("○ bob|bob +Offline", 90)
        self.bob.tell("presence_online")
        self.alice.sees("● bob")

    def presence_at_baresip(self):
        """baresip shows adsum's presence"""
        self.bob.says("alice is online", r"alice.*Online|Online.*alice", "contacts")

    def from_baresip(self):
        """a message of baresip appears on adsum's screen"""
        self.bob.tell("message hello from baresip")
        self.alice.sees("bob")
        go_to(self.alice, "bob")
        self.alice.keys("Enter")
        self.alice.sees("hello from baresip")

    def to_baresip(self):
        """a message of adsum appears in baresip"""
        say(self.alice, "hello, baresip")
        until("the message", lambda: self.bob.wrote("hello, baresip"))
        self.alice.sees("hello, baresip +✓")

    def parts_at_baresip(self):
        """a long text reaches baresip, which takes no sessions, in numbered parts that fit into datagrams"""
        say(self.alice, "many words " * 120 + "farewell")
        until("the last part", lambda: self.bob.wrote(r"\((\d)/\1\) [a-z ]*farewell"), 60)
        until("the first part", lambda: self.bob.wrote(r"\(1/\d\) many words many words"))
        self.alice.sees("farewell +✓")

    def called_by_baresip(self):
        """baresip calls: it hears why nobody takes the call, adsum's screen tells of it"""
        self.bob.tell(f"dial sip:{ALICE}")
        until("the refusal", lambda: self.bob.wrote(r"488 This program takes no calls yet"))
        self.alice.sees("called")


class WithLinphone:
    """erin has linphone."""

    def linphone(self):
        """linphone-daemon: messages both ways, presence at adsum"""
        if not shutil.which("linphone-daemon"):
            return
        self._lab.kamailio.let_everybody_see("erin")
        self.erin = self._lab.keep(Linphone(self._lab.dir, "erin", self._lab.kamailio, ["alice"]))
        until("erin is registered", lambda: self._lab.kamailio.heard(rf"in: REGISTER \S+ from sip:{ERIN}"))
        add_contact(self.alice, ERIN)
        self.alice.sees("● erin", 30)
        self.erin.tell(f"message sip:{ALICE} hello from linphone")
        write_to(self.alice, "erin", "hello, linphone")
        self.alice.sees("hello from linphone")
        until("the message", lambda: self.erin.saw("hello, linphone"))


class Restart:
    """The server goes and comes back."""

    def restart(self):
        """Kamailio is restarted: sign-in, lists and presence come back by themselves, what was written meanwhile is sent"""
        self._lab.kamailio.stop()
        self.alice.lacks("⇅")
        write_to(self.alice, "carol", "written in the dark")
        self._lab.kamailio.start()
        self.alice.sees("⇅", 90)
        self.carol.sees("⇅", 90)
        go_to(self.carol, "alice")
        self.carol.keys("Enter")
        self.carol.sees("written in the dark", 30)
        self.alice.sees("written in the dark +✓", 30)
        self.alice.sees("(?i)[●■] carol", 60)
        self.carol.sees("(?i)● alice", 60)


class Flows(Restart, Conferences, WithLinphone, Direct, Sessions, Lists, Meetings, WithBaresip, Secure, Words, Ways, Between):
    """All of them; the last named come first."""
