"""Conferences behind Kamailio: a focus of our own, as no package brings one."""

from focus import Focus
from parts import Missed, until
from screens import go_to, knows, say, write_to
from servers import DOMAIN

ALICE = f"alice@{DOMAIN}"
CONFERENCES = f"conference.{DOMAIN}"


def command(screen, words):
    """Types a command into whatever conversation is open."""
    screen.keys("M-2")
    screen.type(words)
    screen.keys("Enter")


def people(names):
    return sorted(f"sip:{n}@{DOMAIN}" for n in names)


class Conferences:
    """Alice, carol and dave meet; all have adsum."""

    def conference_join(self):
        """a conference is joined by its address; both rosters are the focus's"""
        kamailio = self._lab.kamailio
        self.focus = self._lab.keep(Focus(CONFERENCES, kamailio.focus, kamailio.sip))
        for screen in (self.alice, self.carol):
            go_to(screen, "carol" if screen is self.alice else "alice")
            screen.keys("Enter")
        command(self.alice, f"/join room@{CONFERENCES}")
        self.alice.sees("only you · you lead")
        self.alice.keys("M-r")
        self.alice.sees("me +leads")
        command(self.carol, f"/join sip:room@{CONFERENCES}")
        self.alice.sees("[Cc]arol joined")
        self.carol.sees("You are in the meeting with [Aa]lice")
        self._are_in(["alice", "carol"])

    def conference_words(self):
        """what one writes in a conference the others read, with its writer"""
        self.alice.type("good morning, everybody")
        self.alice.keys("Enter")
        self.carol.sees("good morning, everybody")
        self.carol.type("good morning, alice")
        self.carol.keys("Enter")
        self.alice.sees("good morning, alice")

    def conference_refused(self):
        """rooms that are closed, full, without messages, gone, moved in a circle or busy are explained, or entered in the end"""
        for room, words in (("closed", "does not let you in"), ("full", "is full"), ("sound", "only sound or pictures"),
                            ("nowhere", "no such meeting"), ("circle", "in a circle")):
            command(self.carol, f"/join {room}@{CONFERENCES}")
            self.carol.sees(words)
        command(self.carol, f"/join busy@{CONFERENCES}")
        self.carol.sees("You are in the meeting", 30)
        command(self.carol, "/leave")
        until("carol has left", lambda: not self.focus.people("busy"))
        # Joining what one is in shows it.
        command(self.carol, f"/join room@{CONFERENCES}")
        self.carol.sees("good morning, alice")

    def conference_invite(self):
        """the focus calls somebody in when asked to, and everybody sees how far that got"""
        self.dave = self._lab.screen("dave")
        command(self.alice, f"/invite dave@{DOMAIN}")
        self.alice.sees("ringing")
        self.dave.accepts("Sprint review|invites you")
        self._are_in(["alice", "carol", "dave"])
        self.dave.sees("You are in the meeting with|You are in the meeting, alone")
        self.carol.sees("[Dd]ave")

    def conference_eject(self):
        """who leads takes somebody out; the others see it, and that one is told"""
        self.alice.keys("M-2")
        command(self.alice, f"/eject dave@{DOMAIN}")
        self.alice.sees("Remove .* from this meeting")
        self.alice.keys("y")
        self._are_in(["alice", "carol"])
        self.dave.sees("removed from|has ended")
        self.alice.sees("[Dd]ave left")

    def conference_restart(self):
        """Kamailio is restarted: everybody is in the conference again by themselves"""
        self._lab.kamailio.stop()
        self.alice.lacks("⇅")
        self._lab.kamailio.start()
        self.alice.sees("⇅", 90)
        self.carol.sees("⇅", 90)
        self.alice.sees("Back in the meeting", 30)
        self._are_in(["alice", "carol"])
        self.alice.type("are you there")
        self.alice.keys("Enter")
        self.carol.sees("are you there", 30)

    def conference_lasting(self):
        """calls are refreshed at half of their 90 s, by INVITE or UPDATE; one that the focus forgets to refresh ends with a sentence"""
        command(self.alice, f"/join patient@{CONFERENCES}")
        self.alice.sees("You are in the meeting, alone|You are in the meeting with")
        until("the longer time", lambda: self.focus.heard(r"(?s)^INVITE sip:patient@.*\r\nSession-Expires: 2000\r\nMin-SE: 2000\r\n"))
        command(self.alice, "/leave")
        for room in ("brief", "quick", "silent"):
            command(self.carol, f"/join {room}@{CONFERENCES}")
            until(f"carol is in {room}", lambda room=room: self.focus.people(room))
        self.carol.sees("You are in the meeting, alone")
        until("the UPDATE", lambda: self.focus.heard(r"(?s)^UPDATE sip:quick@.*\r\nSession-Expires: 90;refresher=uac\r\n"), 60)
        again = until("the INVITE", lambda: self.focus.all(r"(?s)^INVITE sip:brief@.*\r\nSession-Expires: 90;refresher=uac\r\n"), 60)[0]
        first = self.focus.all(r"^INVITE sip:brief@")[0]
        if again.partition("\r\n\r\n")[2] != first.partition("\r\n\r\n")[2]:
            raise Missed("the refresh describes the call otherwise than the INVITE did")
        self.carol.sees("has not answered for too long", 60)
        until("carol has left the silent one", lambda: not self.focus.people("silent"))
        for room in ("brief", "quick"):
            self._are_in(["carol"], room)
            command(self.carol, f"/join {room}@{CONFERENCES}")
            command(self.carol, "/leave")
            self._are_in([], room)
        for screen in (self.alice, self.carol):
            command(screen, f"/join room@{CONFERENCES}")
            screen.sees("are you there|good morning")

    def conference_room(self):
        """a chat room carries words by MSRP: people come, see who is there, write to all and leave"""
        if hasattr(self, "dave"):
            self._leave("dave")
        self.dave = self._lab.screen("dave")
        knows(self.dave, ALICE)
        go_to(self.dave, "alice")
        self.dave.keys("Enter")
        for screen, others in ((self.alice, ""), (self.carol, "[Aa]lice"), (self.dave, "[Aa]lice")):
            command(screen, f"/join chat@{CONFERENCES}")
            screen.sees("Coffee corner")
            if others:
                screen.sees(f"You are in the meeting with .*{others}")
        self._are_in(["alice", "carol", "dave"], "chat")
        self.alice.sees("3 people")
        say(self.alice, "coffee, anybody?")
        for screen in (self.carol, self.dave):
            screen.sees("coffee, anybody")
        until("SEND", lambda: any("coffee, anybody?" in f for f in self.focus.switch.seen))
        say(self.carol, "with milk, please")
        for screen in (self.alice, self.dave):
            screen.sees("with milk, please")

    def conference_nicknames(self):
        """a nickname in a room is taken once, stands in the roster, and is given back"""
        command(self.dave, "/nick Boss")
        self.dave.sees("You are Boss")
        self.alice.sees("Boss")
        command(self.carol, "/nick Boss")
        self.carol.sees("somebody else has this nickname")
        self.carol.keys("C-u")
        command(self.carol, "/nick Second")
        self.carol.sees("You are Second")
        command(self.dave, "/nick")
        self.dave.sees("nickname is given back")
        command(self.carol, "/nick Boss")
        self.carol.sees("You are Boss")
        until("the nicknames", lambda: list(self.focus.switch.names) == ["Boss"])

    def conference_private(self):
        """a message to one person of a room reaches nobody else, and is marked on both sides, in the history, too"""
        command(self.alice, "/private dave a word between us")
        self.alice.sees(r"\(to .*[Dd]ave.* alone\) a word between us +✓")
        self.dave.sees(r"\(to you alone\) a word between us")
        self.dave.keys("M-p")
        self.dave.sees("w write within")
        self.dave.keys("g", "w")
        self.dave.sees("/private [Aa]lice")
        self.dave.type("I agree")
        self.dave.keys("Enter")
        self.alice.sees(r"\(to you alone\) I agree")
        command(self.dave, "/private mallory hello")
        self.dave.sees("nobody in this meeting is called")
        self.dave.keys("C-u")
        # The last of all words comes after them.
        say(self.alice, "that is all")
        self.carol.sees("that is all")
        if "between us" in self.carol.screen() or "I agree" in self.carol.screen():
            raise Missed("carol reads what went to somebody else")
        copy = self._lab.dir / "private.txt"
        command(self.alice, f"/export {copy}")
        until("the export", copy.is_file)
        if "alone): a word between us" not in copy.read_text() or "(to you alone): I agree" not in copy.read_text():
            raise Missed(copy.read_text())
        for screen in (self.alice, self.carol, self.dave):
            command(screen, "/leave")
        self._are_in([], "chat")

    def conference_factory(self):
        """a conversation of two becomes a conference of three by the factory"""
        self._leave("dave")
        self.dave = self._lab.screen("dave", conference_factory=f"sip:factory@{CONFERENCES}")
        knows(self.dave, ALICE)
        write_to(self.dave, "alice", "shall we ask carol, too?")
        command(self.dave, f"/invite carol@{DOMAIN}")
        for screen in (self.alice, self.carol):
            screen.accepts("invites you|shall we")
        room = until("the new room", lambda: next((n for n in self.focus.rooms if n.startswith("conf")), None))
        self._are_in(["alice", "carol", "dave"], room)
        self.dave.sees("You are in the meeting|joined")

    def conference_end(self):
        """who leads ends it for everybody; leaving alone ends it for nobody else"""
        command(self.dave, "/end")
        self.dave.sees("for everybody")
        self.dave.keys("y")
        room = next(n for n in self.focus.rooms if n.startswith("conf"))
        self._are_in([], room)
        self.alice.sees("has ended")
        self._are_in(["alice", "carol"])

    def _are_in(self, names, room="room"):
        until(f"{names} are in {room}", lambda: self.focus.people(room) == people(names))
