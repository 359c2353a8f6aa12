"""Lists and rules that live on the server: groups by XCAP, presence by resource lists, approval and blocking."""

import time

from parts import Missed, until
from servers import DOMAIN

FRANK, GRACE = f"frank@{DOMAIN}", f"grace@{DOMAIN}"
LISTS, SERVICES, RULES = (f"{kind}/users/{{who}}/index" for kind in ("resource-lists", "rls-services", "pres-rules"))


class Lists:
    """Every method with words is one line of the table. frank watches grace; both keep their lists on the server."""

    def groups_by_xcap(self):
        """contacts and groups are kept on the server by XCAP"""
        self.frank = self._lab.screen("frank", xcap=self._lab.kamailio.xcap)
        self.frank.keys("M-1", "n")
        self.frank.type("Friends")
        self.frank.keys("Enter")
        self.frank.sees("The group Friends is there")
        self.frank.keys("M-1", "g", "a")
        self.frank.type(GRACE)
        self.frank.keys("Enter")
        self.frank.sees(f"{GRACE} is on the list")
        until("grace in the list", lambda: f'"sip:{GRACE}"' in self._lab.kamailio.get("frank", LISTS))

    def list_subscription(self):
        """all contacts are watched by one list subscription (RLS)"""
        until("grace in the service", lambda: f'"sip:{GRACE}"' in self._lab.kamailio.get("frank", SERVICES))
        until("SUBSCRIBE", lambda: self._lab.kamailio.heard(rf"in: SUBSCRIBE sip:frank-adsum@{DOMAIN} from sip:{FRANK}"))

    def approval_card(self):
        """somebody new brings the approval card; accepted at a level, they see the other"""
        self.grace = self._lab.screen("grace", xcap=self._lab.kamailio.xcap)
        self.grace.sees("New watcher", 30)
        self.frank.lacks("● grace")
        self.grace.keys("M-y")
        self.grace.sees("what may they see")
        self.grace.keys("Enter")
        self.grace.sees("frank@")
        until("the rule", lambda: f'"sip:{FRANK}"' in self._lab.kamailio.get("grace", RULES))
        self.frank.sees("● grace", 30)

    def change_through_list(self):
        """a change of state comes through the list"""
        self._says("/status busy")
        self.frank.sees("grace.* Busy", 30)

    def _says(self, words):
        """grace gives a command in the conversation with frank."""
        self.grace.keys("M-1", "g", "j", "Enter")
        self.grace.sees("Write a message")
        self.grace.type(words)
        self.grace.keys("Enter")

    def merged(self):
        """a list that another program changed meanwhile is merged, not overwritten"""
        text = self._lab.kamailio.get("frank", LISTS)
        more = f'<list name="family"><display-name>Family</display-name><entry uri="sip:erin@{DOMAIN}"/></list></resource-lists>'
        self._lab.kamailio.put("frank", LISTS, "application/resource-lists+xml", text.replace("</resource-lists>", more))
        self.frank.keys("M-1", "n")
        self.frank.type("Work")
        self.frank.keys("Enter")
        self.frank.sees("The group Work is there")
        self.frank.sees("Family")
        until("both", lambda: all(n in self._lab.kamailio.get("frank", LISTS) for n in ("Family", "Work", GRACE)))

    def blocked(self):
        """somebody who is blocked learns nothing more (Kamailio's lists go on showing the last state)"""
        self.grace.keys("M-1", "g", "j", "b")
        self.grace.sees("Block frank")
        self.grace.keys("y")
        self.grace.sees("is blocked")
        until("the rule", lambda: "polite-block" in self._lab.kamailio.get("grace", RULES))
        self._says("/status away")
        time.sleep(6)
        self.frank.lacks("grace.* Away")

    def blocked_writes(self):
        """a message of somebody who is blocked is turned away and not shown"""
        self.frank.keys("M-1", "g", "j", "Enter")
        self.frank.sees("Write a message")
        self.frank.type("are you there")
        self.frank.keys("Enter")
        # To the server grace is not there; what it does then is its own affair.
        until("MESSAGE", lambda: self._lab.kamailio.heard(rf"in: MESSAGE sip:{GRACE} from sip:{FRANK}"))
        time.sleep(2)
        if "are you there" in self.grace.screen():
            raise Missed("grace sees it")

    def unblocked(self):
        """the block is taken back and presence comes again"""
        self.grace.keys("M-1", "g", "j", "b")
        until("the rule", lambda: "polite-block" not in self._lab.kamailio.get("grace", RULES))
        self.grace.keys("M-4", "w", "Enter")
        self.grace.sees("what may they see|What frank")
        self.grace.keys("Enter")
        self.frank.sees("grace.* Away", 30)

    def limits_said(self):
        """what the server cannot do is said in its pane"""
        self.frank.keys("M-3")
        self.frank.sees("This server keeps no list of meetings")
        for screen in (self.frank, self.grace):
            screen.keys("C-q")
