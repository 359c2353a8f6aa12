"""The parts of this laboratory: those that all have, and finch over D-Bus."""

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from parts import Missed, Tee, Terminal, answers, free_port, require, until  # noqa: E402, F401


class Finch:
    """What libpurple knows and does, asked over D-Bus."""

    def __init__(self, bus):
        self.bus = bus

    def call(self, method, *args):
        """One call; arguments are int, str, or ready-made `type:value` in a tuple."""
        words = []
        for a in args:
            words.append(a[0] if isinstance(a, tuple) else f"int32:{a}" if isinstance(a, int) else f"string:{a}")
        out = subprocess.run(
            ["dbus-send", f"--bus={self.bus}", "--print-reply=literal", "--reply-timeout=5000",
             "--dest=im.pidgin.purple.PurpleService", "/im/pidgin/purple/PurpleObject",
             f"im.pidgin.purple.PurpleInterface.{method}", *words],
            check=True, capture_output=True, text=True).stdout.strip()
        if found := re.fullmatch(r"(?:u?int32|boolean|double) (\S+)", out):
            return int(found[1]) if found[1].lstrip("-").isdigit() else found[1] == "true"
        if out.startswith("array"):
            return [int(n) for n in re.findall(r"int32 (-?\d+)", out)]
        return out

    def account(self):
        return (self.call("PurpleAccountsGetAll") or [0])[0]

    def online(self):
        return bool(self.call("PurpleAccountIsConnected", self.account()))

    def buddies(self, address):
        """The groups an address is in, by name."""
        found = self.call("PurpleFindBuddies", self.account(), address)
        return sorted(self.call("PurpleGroupGetName", self.call("PurpleBuddyGetGroup", b)) for b in found)

    def alias(self, address):
        return self.call("PurpleBuddyGetAlias", self.call("PurpleFindBuddy", self.account(), address))

    def presence(self, address):
        """State and note of a contact as libpurple shows them."""
        buddy = self.call("PurpleFindBuddy", self.account(), address)
        status = self.call("PurplePresenceGetActiveStatus", self.call("PurpleBuddyGetPresence", buddy))
        kind = self.call("PurpleStatusTypeGetId", self.call("PurpleStatusGetType", status))
        return kind, self.call("PurpleStatusGetAttrString", status, "message")

    def groups(self):
        """The names of all groups."""
        names, node = [], self.call("PurpleBlistGetRoot")
        while node:
            if self.call("PurpleBlistNodeIsGroup", node):
                names.append(self.call("PurpleGroupGetName", node))
            node = self.call("PurpleBlistNodeGetSiblingNext", node)
        return names

    def _group(self, name):
        found = self.call("PurpleFindGroup", name)
        if not found:
            found = self.call("PurpleGroupNew", name)
            self.call("PurpleBlistAddGroup", found, 0)
        return found

    def add(self, address, group):
        """Adds somebody, as the dialog "Add buddy" does."""
        group = self._group(group)
        buddy = self.call("PurpleBuddyNew", self.account(), address, "")
        self.call("PurpleBlistAddBuddy", buddy, 0, group, 0)
        self.call("PurpleAccountAddBuddy", self.account(), buddy)

    def move(self, address, group):
        self.call("PurpleBlistAddBuddy", self.call("PurpleFindBuddy", self.account(), address), 0, self._group(group), 0)

    def rename_group(self, old, new):
        self.call("PurpleBlistRenameGroup", self.call("PurpleFindGroup", old), new)

    def remove(self, address):
        buddy = self.call("PurpleFindBuddy", self.account(), address)
        self.call("PurpleAccountRemoveBuddy", self.account(), buddy, self.call("PurpleBuddyGetGroup", buddy))
        self.call("PurpleBlistRemoveBuddy", buddy)

    def remove_group(self, name):
        group = self.call("PurpleFindGroup", name)
        self.call("PurpleAccountRemoveGroup", self.account(), group)
        self.call("PurpleBlistRemoveGroup", group)

    def connect(self, on):
        self.call("PurpleAccountConnect" if on else "PurpleAccountDisconnect", self.account())

    def set_status(self, kind, note):
        """Takes a state of this account's list (available, busy, do-not-disturb, away...) with a note."""
        account = self.account()
        primitive = self.call("PurpleStatusTypeGetPrimitive", self.call("PurpleAccountGetStatusType", account, kind))
        saved = self.call("PurpleSavedstatusNew", "", primitive)
        self.call("PurpleSavedstatusSetMessage", saved, note)
        self.call("PurpleSavedstatusSetSubstatus", saved, account, self.call("PurpleAccountGetStatusType", account, kind), note)
        self.call("PurpleSavedstatusActivate", saved)

    def conversation(self, address):
        """The conversation with somebody, made when there is none."""
        found = self.call("PurpleFindConversationWithAccount", 1, address, self.account())
        return found or self.call("PurpleConversationNew", 1, self.account(), address)

    def say(self, address, text):
        im = self.call("PurpleConversationGetImData", self.conversation(address))
        self.call("PurpleConvImSend", im, text)

    def heard(self, address):
        """The texts of a conversation, newest first."""
        conversation = self.call("PurpleFindConversationWithAccount", 1, address, self.account())
        if not conversation:
            return []
        return [self.call("PurpleConversationMessageGetMessage", m)
                for m in self.call("PurpleConversationGetMessageHistory", conversation)]

    def is_typing(self, address):
        conversation = self.call("PurpleFindConversationWithAccount", 1, address, self.account())
        return bool(conversation) and self.call(
            "PurpleConvImGetTypingState", self.call("PurpleConversationGetImData", conversation)) == 1

    def typing(self, address):
        """Tells somebody that letters are being typed, as the line of input does."""
        self.call("ServSendTyping", self._connection(), address, 1)

    def deny(self, address, on):
        """Blocks somebody, or takes that back."""
        self.call("ServAddDeny" if on else "ServRemDeny", self._connection(), address)

    def _connection(self):
        return self.call("PurpleAccountGetConnection", self.account())


def go_to(screen, name):
    """Puts the cursor of the people's list on the row of a name; the rows begin in the third line."""
    screen.keys("M-1", "Escape", "g")
    screen.sees(name)
    rows = [line.split("│")[1] if "│" in line else "" for line in screen.screen().splitlines()[2:]]
    screen.keys(*["j"] * next(i for i, row in enumerate(rows) if name in row))
