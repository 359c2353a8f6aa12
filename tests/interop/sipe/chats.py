"""Conferences between adsum and finch: lines of the table of `run`, after its own."""

import re
import time

from lab import Missed, go_to, until

# PURPLE_CBFLAGS_OP
OPERATOR = 4
ALICE, BOB, CAROL = (f"{n}@example.test" for n in ("alice", "bob", "carol"))


class Chats:
    """What is tried with three people: bob and carol on adsum's screens, alice on finch."""

    def chats(self):
        """The open chats of finch, the newest first."""
        return self.finch.call("PurpleGetChats") or []

    def chat(self):
        """The newest chat of finch."""
        chats = self.chats()
        if not chats:
            raise Missed("a chat in finch")
        return chats[0]

    def data(self):
        """What libpurple keeps of the newest chat."""
        return self.finch.call("PurpleConversationGetChatData", self.chat())

    def leads(self, address):
        """Whether finch shows somebody as an operator."""
        return bool(self.finch.call("PurpleConvChatUserGetFlags", self.data(), f"sip:{address}") & OPERATOR)

    def tell_meeting(self, text):
        """Writes into the newest chat of finch."""
        self.finch.call("PurpleConvChatSend", self.data(), text)

    def is_out(self):
        """Whether finch says that its part in the newest chat is over."""
        return "disconnected from this conference" in self.told()[0]

    def focus(self):
        """The URI of the conference that adsum scheduled last."""
        return re.findall(r'<conference-info [^>]*entity="(sip:bob[^"]+:focus:[^"]+)"', self.lab.adsum_wire.text())[-1]

    def join_by_link(self, link):
        """The dialog "Join scheduled conference" of finch's account."""
        finch = self.lab.finch_screen
        finch.keys("M-1")
        time.sleep(0.5)
        finch.keys("C-o")
        finch.sees("Plugins")
        finch.keys("Right")
        # The menu of the account opens by itself when it was used before.
        if "Join scheduled" not in finch.screen():
            finch.keys("a")
        finch.sees("Join scheduled conference")
        finch.keys("j")
        finch.sees("Enter meeting location")
        finch.type(link)
        finch.keys("Tab", "Tab", "Tab", "Enter")

    def members(self):
        """The people in it, as libpurple lists them."""
        users = self.finch.call("PurpleConvChatGetUsers", self.data()) or []
        return sorted(self.finch.call("PurpleConvChatCbGetName", u).removeprefix("sip:") for u in users)

    def told(self):
        """The texts of the chat, newest first."""
        return [self.finch.call("PurpleConversationMessageGetMessage", m)
                for m in self.finch.call("PurpleConversationGetMessageHistory", self.chat())]

    def invited_to_a_meeting(self):
        """adsum begins a meeting and invites finch, which joins by the invitation"""
        until("finch is online", self.finch.online, 30)
        if self.bob.is_over():
            self.bob.end()
            self.bob = self.lab.screen("bob")
        self.carol = self.lab.screen("carol")
        go_to(self.bob, "alice")
        self.bob.keys("Enter")
        self.command("/meetnow Planning")
        self.bob.sees("You are in the meeting")
        self.command(f"/invite {ALICE}")
        until("the chat opens", lambda: len(self.chats()) == 1)
        self.bob.sees("alice.* joined|meeting with .*alice")

    def roster_there(self):
        """finch's roster shows who comes"""
        until("bob and alice", lambda: self.members() == [ALICE, BOB])
        self.command(f"/invite {CAROL}")
        self.carol.accepts("invites you")
        until("all three", lambda: self.members() == [ALICE, BOB, CAROL], 30)

    def chat_messages(self):
        """messages of the meeting go both ways, with their authors"""
        self.command("welcome to the meeting")
        until("the message", lambda: any("welcome to the meeting" in t for t in self.told()))
        self.tell_meeting("thanks from finch")
        self.bob.sees("alice +thanks from finch")
        self.carol.sees("thanks from finch")

    def lock_there(self):
        """a meeting locked on adsum's screen is locked for finch, and says so; it opens again"""
        self.command("/lock")
        self.bob.sees("locked")
        until("finch is told", lambda: "conference is locked" in self.told()[0])
        self.command("/unlock")
        self.bob.sees("open again")
        until("finch is told", lambda: "no longer locked" in self.told()[0])

    def roles_there(self):
        """somebody made leader on adsum's screen is an operator in finch"""
        until("carol attends", lambda: self.leads(BOB) and not self.leads(CAROL))
        self.command("/promote carol")
        until("carol leads", lambda: self.leads(CAROL))

    def leaves_there(self):
        """somebody who leaves goes from finch's roster"""
        self.carol.type("/leave")
        self.carol.keys("Enter")
        until("bob and alice", lambda: self.members() == [ALICE, BOB])

    def ejected(self):
        """finch is removed from the meeting, and its window says so"""
        self.command("/eject alice")
        self.bob.sees("Remove alice")
        self.bob.keys("Enter")
        self.bob.sees("alice.* left")
        until("finch says so", self.is_out)

    def called_in(self):
        """the meeting calls finch, which talks in it by an ordinary conversation, and is removed"""
        self.command(f"/callin {ALICE}")
        self.bob.sees("(?s)alice left.*alice joined")
        caller = self.focus().replace(":focus:", ":chat:")
        self.command("hello by the call")
        until("the message", lambda: any("hello by the call" in t for t in self.finch.heard(caller)))
        self.finch.say(caller, "an ordinary answer")
        self.bob.sees("alice +an ordinary answer")
        self.command("/eject alice")
        self.bob.sees("Remove alice")
        self.bob.keys("Enter")
        self.bob.sees("alice.* left", 15)

    def locked_out(self):
        """finch joins a locked meeting by its URI and is refused with a sentence"""
        self.command("/lock")
        self.bob.sees("The meeting is locked")
        self.join_by_link(self.focus())
        until("finch says why", lambda: self.lab.finch_screen.keys("M-n") or "conference is locked" in self.lab.finch_screen.screen())
        self.lab.finch_screen.keys("Enter")

    def joined_by_uri(self):
        """finch joins a meeting by its URI and sees who is there"""
        self.command("/unlock")
        self.bob.sees("open again")
        before = len(self.chats())
        self.join_by_link("conf:" + self.focus())
        until("the chat opens", lambda: len(self.chats()) > before)
        until("bob and alice", lambda: self.members() == [ALICE, BOB])
        self.bob.sees("alice.* joined")

    def ended(self):
        """the meeting is ended for everybody on adsum's screen: finch is out"""
        self.command("/end")
        self.bob.keys("Enter")
        until("finch says so", self.is_out)

    def begun_there(self):
        """finch begins a chat with bob, who takes the invitation on adsum's screen"""
        # The menus of the plugin take chats that are over for open ones, and fall.
        self.lab.finch_screen.end()
        self.finch = self.lab.finch()
        until("finch is online", self.finch.online, 30)
        self.bob.sees("● alice")
        until("bob is there", lambda: self.finch.presence(f"sip:{BOB}")[0] == "available")
        self.menu_of_bob("New chat")
        self.bob.accepts("alice invites you")
        self.bob.sees("You are in the meeting with alice")
        until("the chat opens", lambda: len(self.chats()) == 1)
        until("alice and bob", lambda: self.members() == [ALICE, BOB])

    def third_invited_there(self):
        """finch invites a third person, who sees both on adsum's screen"""
        connection = self.finch.call("PurpleAccountGetConnection", self.finch.account())
        number = self.finch.call("PurpleConvChatGetId", self.data())
        self.finch.call("ServChatInvite", connection, number, "", f"sip:{CAROL}")
        self.carol.accepts("alice.* invites you")
        self.carol.sees("· 3 people")
        until("all three", lambda: self.members() == [ALICE, BOB, CAROL], 30)

    def its_chat_messages(self):
        """messages of finch's chat go both ways, with their authors"""
        self.tell_meeting("welcome to finch")
        self.bob.sees("alice +welcome to finch")
        self.carol.sees("alice +welcome to finch")
        self.command("thanks from adsum")
        until("the message", lambda: any("thanks from adsum" in t for t in self.told()))

    def left_here(self):
        """bob leaves the meeting of finch: finch's roster no longer has him"""
        self.command("/leave")
        until("alice and carol", lambda: self.members() == [ALICE, CAROL])

    def left_in_finch(self):
        """finch closes the chat: adsum's roster no longer has alice"""
        finch = self.lab.finch_screen
        until("the chat", lambda: finch.keys("M-n") or "thanks from adsum" in finch.screen())
        finch.keys("M-c")
        self.carol.sees("alice.* left")

    def menu_of_bob(self, entry):
        finch = self.lab.finch_screen
        finch.keys("M-1")
        time.sleep(0.5)
        rows = finch.screen().splitlines()[1:]
        finch.keys(*["Up"] * 8, *["Down"] * next(i for i, row in enumerate(rows) if "Bob Baker" in row.split("▒")[0]), "F11")
        # Which letter stands for an entry depends on the others.
        finch.keys(finch.sees(entry + r".*\((\w)\)")[1])
