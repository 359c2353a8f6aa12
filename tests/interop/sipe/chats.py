"""Conferences between adsum and finch: lines of the table of `run`, after its own."""

import re

from lab import until

ALICE, BOB, CAROL = (f"{n}@example.test" for n in ("alice", "bob", "carol"))


class Chats:
    """What is tried with three people: bob and carol on adsum's screens, alice on finch."""

    def chats(self):
        """The open chats of finch."""
        return self.finch.call("PurpleGetChats") or []

    def chat(self):
        """The newest chat of finch."""
        return self.chats()[-1]

    def members(self):
        """The people in it, as libpurple lists them."""
        data = self.finch.call("PurpleConversationGetChatData", self.chat())
        users = self.finch.call("PurpleConvChatGetUsers", data) or []
        return sorted(self.finch.call("PurpleConvChatCbGetName", u).removeprefix("sip:") for u in users)

    def told(self):
        """The texts of the chat, newest first."""
        return [self.finch.call("PurpleConversationMessageGetMessage", m)
                for m in self.finch.call("PurpleConversationGetMessageHistory", self.chat())]

    def invited_to_a_meeting(self):
        """adsum begins a meeting and invites finch, which joins by the invitation"""
        until("finch is online", self.finch.online, 30)
        self.carol = self.lab.screen("carol")
        self.bob.keys("M-2")
        self.command("/meetnow Planning")
        self.bob.sees("You are in the meeting")
        self.command(f"/invite {ALICE}")
        until("the chat opens", lambda: len(self.chats()) == 1)
        self.bob.sees("alice.* joined|meeting with .*alice")

    def roster_there(self):
        """finch's roster shows who comes"""
        until("bob and alice", lambda: self.members() == [ALICE, BOB])
        self.command(f"/invite {CAROL}")
        self.carol.sees("Alt-y|M-y|accept")
        self.carol.keys("M-y")
        until("all three", lambda: self.members() == [ALICE, BOB, CAROL], 30)

    def chat_messages(self):
        """messages of the meeting go both ways, with their authors"""
        self.command("welcome to the meeting")
        until("the message", lambda: any("welcome to the meeting" in t for t in self.told()))
        data = self.finch.call("PurpleConversationGetChatData", self.chat())
        self.finch.call("PurpleConvChatSend", data, "thanks from finch")
        self.bob.sees("alice +thanks from finch")
        self.carol.sees("thanks from finch")

    def lock_there(self):
        """a meeting locked on adsum's screen is locked for finch"""
        self.command("/lock")
        self.bob.sees("locked")
        until("finch is told", lambda: re.search(r"<(\w+:)?locked>true</", self.lab.finch_wire.text()))
        self.command("/unlock")
        self.bob.sees("open again")

    def leaves_there(self):
        """somebody who leaves goes from finch's roster"""
        self.carol.type("/leave")
        self.carol.keys("Enter")
        until("bob and alice", lambda: self.members() == [ALICE, BOB])

    def ejected(self):
        """finch is removed from the meeting"""
        self.command("/eject alice")
        self.bob.sees("Remove alice")
        self.bob.keys("Enter")
        self.bob.sees("alice.* left")
        data = self.finch.call("PurpleConversationGetChatData", self.chat())
        until("finch has left", lambda: self.finch.call("PurpleConvChatHasLeft", data))
        self.command("/end")
        self.bob.keys("Enter")
