"""Meetings between two people with adsum: the server keeps none, so calendars go by messages. And what a block keeps away."""

from parts import Missed, until
from servers import DOMAIN

ALICE, CAROL, DAVE = (f"{n}@{DOMAIN}" for n in ("alice", "carol", "dave"))


class Meetings:
    """Every method with words is one line of the table. alice schedules, carol is invited."""

    def query(self):
        """adsum presence ADDRESS asks once for somebody who is not on the list"""
        status, said = self._lab.once("erin", "presence", ALICE, "--json")
        if status or "Available" not in said and "3500" not in said:
            raise Missed(said)

    def invited(self):
        """a meeting is scheduled: who is invited gets a card, and answers it"""
        self.alice.keys("M-3", "n")
        self.alice.sees("New meeting")
        self.alice.sees("no words for who gets in")
        self.alice.type("Sprint review")
        self.alice.keys("Tab")
        self.alice.type("tomorrow 10:00 1h")
        self.alice.keys("Tab", "Tab", "Tab")
        self.alice.type(CAROL)
        self.alice.keys("C-s")
        self.alice.sees("The meeting is scheduled")
        until("the calendar", lambda: self._lab.kamailio.heard(rf"in: MESSAGE sip:{CAROL} from sip:{ALICE}"))
        self.carol.sees("invites you to a meeting")
        self.carol.sees("Sprint review")
        self.carol.keys("M-t")
        self.alice.sees("may come to .Sprint review")
        self.carol.keys("M-3")
        self.carol.sees("Sprint review.*tentative")
        self.carol.keys("r", "Enter")
        self.alice.sees("comes to .Sprint review")
        self.alice.sees("1 of 1 come")

    def moved(self):
        """a meeting that moves is asked about again"""
        self.alice.keys("M-3", "g", "e")
        self.alice.sees("Change meeting")
        self.alice.keys("Tab", "C-u")
        self.alice.type("tomorrow 15:00 1h")
        self.alice.keys("C-s")
        self.carol.accepts("has moved a meeting")
        self.alice.sees("comes to .Sprint review")

    def survives(self):
        """the organizer's list survives a restart of the program, with who comes"""
        self.alice.keys("C-q")
        until("alice ends", lambda: "dead" in self.alice.screen() or not self.alice.screen().strip())
        self.alice.end()
        self.alice = self._lab.screen("alice")
        self.alice.keys("M-3")
        self.alice.sees("Sprint review")
        self.alice.sees("1 of 1 come")

    def cancelled(self):
        """a meeting that is cancelled leaves the list of who was invited"""
        self.alice.keys("M-3", "g", "x")
        self.alice.sees("invited are told")
        self.alice.keys("y")
        self.alice.sees("The meeting is cancelled")
        self.carol.sees("has cancelled .Sprint review")

    def in_words(self):
        """a program without calendars (baresip) gets the invitation in words"""
        self.alice.keys("M-3", "n")
        self.alice.sees("New meeting")
        self.alice.type("With Bob")
        self.alice.keys("Tab")
        self.alice.type("tomorrow 11:00 30m")
        self.alice.keys("Tab", "Tab", "Tab")
        self.alice.type(f"bob@{DOMAIN}")
        self.alice.keys("C-s")
        until("the words", lambda: self.bob.wrote("Invitation: With Bob"))
        self.alice.keys("M-3", "Enter")
        self.alice.sees("told in")
        self.alice.keys("Escape")

    def cancelled_in_the_dark(self):
        """a meeting is cancelled without the server and the program ends: who was invited is told after the next sign-in"""
        self.alice.keys("M-3", "n")
        self.alice.sees("New meeting")
        self.alice.type("Lunch talk")
        self.alice.keys("Tab")
        self.alice.type("tomorrow 9:00 30m")
        self.alice.keys("Tab", "Tab", "Tab")
        self.alice.type(CAROL)
        self.alice.keys("C-s")
        self.alice.sees("The meeting is scheduled")
        self.carol.accepts("Lunch talk")
        self.alice.sees("comes to .Lunch talk")
        self._lab.kamailio.stop()
        self.alice.lacks("⇅")
        self.alice.keys("M-3", "g", "x")
        self.alice.sees("Cancel .Lunch talk")
        self.alice.keys("y")
        self.alice.sees("told when you are signed in")
        self.alice.keys("C-q")
        until("alice ends", self.alice.is_over)
        self.alice.end()
        self._lab.kamailio.start()
        self.carol.sees("⇅", 90)
        self.alice = self._lab.screen("alice")
        self.carol.sees("has cancelled .Lunch talk", 60)
