"""A meeting for five: three screens of adsum, finch, and an application that nobody sees."""

import json
import re
import threading

from lab import until

ALICE, BOB, CAROL, DAVE = (f"{n}@example.test" for n in ("alice", "bob", "carol", "dave"))
RECORDER = "recorder@example.test"


class Application:
    """`adsum app`, driven by JSON lines."""

    def __init__(self, process):
        self.process, self.lines, self.last = process, [], 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def ask(self, op, **fields):
        """One operation; gives its answer."""
        self.last += 1
        self.process.stdin.write(json.dumps({"id": self.last, "op": op, **fields}) + "\n")
        self.process.stdin.flush()
        answer = until(f"the answer to {op}", lambda: [l for l in self.lines if l.get("id") == self.last])[0]
        if not answer["ok"]:
            raise AssertionError(answer)
        return answer

    def heard(self, text):
        """Whether a message with this text has come."""
        return any(text in json.dumps(l) for l in self.lines if l.get("event") == "message")


class Five:
    """Scheduled, run, controlled and ended by keyboard; the keys are bob's where nobody else is named."""

    def five_are_there(self):
        """three screens of adsum and finch are signed in, an application is trusted and there"""
        until("finch is online", self.finch.online, 30)
        if self.bob.is_over():
            self.bob.end()
            self.bob = self.lab.screen("bob")
        self.carol, self.dave = (self.lab.again(n) for n in ("carol", "dave"))
        self.app = Application(self.lab.application(RECORDER, "Recorder"))
        until("the application is there", lambda: any(l.get("event") == "snapshot" for l in self.app.lines))

    def scheduled(self):
        """bob schedules a meeting in the form: carol leads, alice is invited, dave is not"""
        self.bob.keys("M-3", "n")
        self.bob.sees("New meeting")
        self.bob.type("Budget 2027")
        self.bob.keys("Tab")
        self.bob.type("now 1h")
        self.bob.keys("Tab", "Tab", "Tab", "Right", "Tab")
        self.bob.type(f"{ALICE}, !{CAROL}")
        self.bob.keys("C-g")
        self.bob.sees("(?i)who will get in|who gets in")
        self.bob.keys("Escape", "C-s")
        self.bob.sees("Budget 2027 .*invited")
        self.lab.meeting = re.findall(r'<conference-info [^>]*entity="(sip:bob[^"]+:focus:[^"]+)"', self.lab.adsum_wire.text())[-1]

    def calendar_file(self):
        """the invitation is written as a calendar file, and a calendar program reads it"""
        file = self.lab.dir / "budget.ics"
        self.bob.keys("w", "C-u")
        self.bob.type(str(file))
        self.bob.keys("Enter")
        self.bob.sees("Written")
        until("the file", file.is_file)
        self.lab.calendar_reads(file, "Budget 2027")

    def entered(self):
        """bob takes the reminder and is in; the others come by invitation and by link"""
        self.bob.accepts("Reminder")
        self.bob.sees("Budget 2027 · .*you lead")
        self.command(f"/invite {ALICE}")
        self.bob.sees("alice.* joined")
        self.carol.keys("M-3", "J")
        self.carol.type("conf:" + self.lab.meeting)
        self.carol.keys("Enter")
        put_off(self.carol)
        self.carol.sees("You are in the meeting|you lead")
        self.bob.sees("Carol Clark.* joined")

    def waits_outside(self):
        """dave is not invited: he waits in the lobby until bob lets him in"""
        self.dave.keys("M-3", "J")
        self.dave.type(self.lab.meeting)
        self.dave.keys("Enter")
        self.dave.sees("(?i)lobby|let you in")
        self.bob.sees("Dave Dunn.*(waits|lobby)")
        self.command("/admit all")
        put_off(self.dave)
        self.dave.sees("You are in the meeting")

    def nobody_sees(self):
        """the application joins as a trusted participant: it leads, and no roster shows it"""
        talk = self.app.ask("join_conference", target={"Link": self.lab.meeting})
        self.talk = talk["conversation"]
        self.bob.keys("M-p")
        self.bob.sees("Dave Dunn")
        self.bob.lacks("(?i)recorder")
        self.bob.keys("Escape")
        names = sorted(n for n in (ALICE, BOB, CAROL, DAVE))
        until("four in finch", lambda: self.members() == names)

    def everybody_talks(self):
        """what each of the five writes reaches the other four"""
        self.command("bob says hello")
        for screen, who in ((self.carol, "carol"), (self.dave, "dave")):
            screen.type(f"{who} says hello")
            screen.keys("Enter")
        self.tell_meeting("alice says hello")
        self.app.ask("send_message", conversation=self.talk, text="the recorder says hello")
        said = [f"{n} says hello" for n in ("bob", "carol", "dave", "alice", "the recorder")]
        for text in said:
            for screen in (self.bob, self.carol, self.dave):
                screen.sees(text)
            until(f"finch has {text!r}", lambda text=text: any(text in t for t in self.told()))
        for text in said[:4]:
            until(f"the application has {text!r}", lambda text=text: self.app.heard(text))

    def controlled(self):
        """bob locks, mutes dave and gives him back his voice, makes him leader; carol removes alice"""
        self.command("/lock")
        for screen in (self.bob, self.carol, self.dave):
            screen.sees("The meeting is locked")
        self.command("/mute dave")
        self.dave.sees("(?i)muted")
        self.command("/unmute dave")
        self.dave.sees("(?i)(not muted|no longer muted|unmuted|may write|can write)")
        self.command("/promote dave")
        self.dave.sees("you lead")
        self.carol.type(f"/eject {ALICE}")
        self.carol.keys("Enter")
        self.carol.sees("Remove alice")
        self.carol.keys("Enter")
        until("finch says so", self.is_out)
        self.bob.sees("alice.* left")

    def over_for_all(self):
        """bob ends it: everybody is told, the application, too"""
        self.command("/end")
        self.bob.sees("for everybody")
        self.bob.keys("Enter")
        for screen in (self.carol, self.dave):
            screen.sees("ended|you are out")
        until("the application knows", lambda: "Terminated" in json.dumps(self.app.lines[-3:]))
        self.app.process.stdin.close()


def put_off(screen):
    """The card of a new watcher stands where the transcript begins; it can wait."""
    if "New watcher" in screen.screen():
        screen.keys("M-l")
