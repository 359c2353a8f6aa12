"""A small focus of conferences (RFC 4579, RFC 4575) for tests, behind Kamailio: UDP, one thread, written from the RFCs alone.

Rooms are `room`, `chat` with a switch for MSRP (RFC 7701), whatever the factory makes, a few that answer as their names
say: closed, full, sound, moved, circle, busy, and some with session timers (RFC 4028), which the caller refreshes by INVITE
(`brief`) or UPDATE (`quick`), which the focus should refresh and does not (`silent`), and one that wants a longer time (`patient`).
"""

import re
import secrets
import socket
import threading
import time
from xml.sax.saxutils import escape, quoteattr

from switch import Switch


def header(message, name):
    """The first value of a header; empty when there is none."""
    found = re.search(rf"^{name}[ \t]*:[ \t]*(.*?)\r?$", message.partition("\r\n\r\n")[0], re.M | re.I)
    return found[1].strip() if found else ""


def headers(message, name):
    return [v.strip() for v in re.findall(rf"^{name}[ \t]*:[ \t]*(.*?)\r?$", message.partition("\r\n\r\n")[0], re.M | re.I)]


def uri(value):
    """The URI of a name and address."""
    found = re.search(r"<([^>]*)>", value)
    return found[1] if found else value.split(";")[0].strip()


def plain(address):
    """sip:user@host of a URI."""
    return re.sub(r"[;?].*", "", address).lower()


def tag(value):
    found = re.search(r";tag=([^;>\s]+)", value.rpartition(">")[2] or value)
    return found[1] if found else ""


TIMERS = {"brief": "90;refresher=uac", "quick": "90;refresher=uac", "silent": "90;refresher=uas", "patient": "2000;refresher=uac"}


class Leg:
    """A dialog with somebody: a call, or a subscription."""

    def __init__(self, call, here, there, target, route):
        self.call, self.here, self.there, self.target, self.route = call, here, there, target, route
        self.number = 0
        self.version = 0


class Room:
    def __init__(self, name, subject):
        self.name, self.subject = name, subject
        self.people = {}      # address -> Leg of the call
        self.calling = {}     # address -> "dialing-out" or "alerting"
        self.watchers = []    # Legs of subscriptions
        self.leads = None


class Focus:
    """Answers for every address of its domain."""

    def __init__(self, domain, port, proxy):
        self.domain, self.port, self.proxy = domain, port, proxy
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.rooms = {"room": Room("room", "Sprint review"), "chat": Room("chat", "Coffee corner"),
                      **{name: Room(name, name.capitalize()) for name in TIMERS}}
        self.switch = Switch(f"sip:chat@{domain}", self._named)
        self.answers = {}     # transactions answered, against repetitions
        self.asked = {}       # branch -> what to do with the answer
        self.busy = 1
        self.seen = []
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self):
        self.socket.close()
        self.switch.stop()

    def people(self, room="room"):
        """Who is in, as the focus has it."""
        return sorted(self.rooms[room].people) if room in self.rooms else []

    def heard(self, pattern):
        return bool(self.all(pattern))

    def all(self, pattern):
        """Messages with this in them, as they came."""
        return [m for m in list(self.seen) if re.search(pattern, m)]

    def _run(self):
        while True:
            try:
                data, _ = self.socket.recvfrom(65536)
            except OSError:
                return
            message = data.decode(errors="replace")
            self.seen.append(message)
            if message.startswith("SIP/2.0 "):
                self._answered(message)
            elif message.strip():
                self._request(message)

    # What leaves.

    def _send(self, text):
        self.socket.sendto(text.encode(), ("127.0.0.1", self.proxy))

    def _reply(self, request, status, *more, body="", media=""):
        lines = [f"SIP/2.0 {status}"] + [f"Via: {v}" for v in headers(request, "Via")] + [f"Record-Route: {v}" for v in headers(request, "Record-Route")]
        to = header(request, "To")
        if not tag(to):
            to += f";tag={self._tag(request)}"
        lines += [f"From: {header(request, 'From')}", f"To: {to}", f"Call-ID: {header(request, 'Call-ID')}", f"CSeq: {header(request, 'CSeq')}", *more]
        if body:
            lines.append(f"Content-Type: {media}")
        text = "\r\n".join(lines + [f"Content-Length: {len(body.encode())}", "", body])
        self.answers[(header(request, "Via"), header(request, "CSeq"))] = text
        self._send(text)

    def _tag(self, request):
        return "f" + re.sub(r"\W", "", header(request, "Call-ID"))[:12]

    def _within(self, leg, method, *more, body="", media="", then=None):
        """A request in a dialog."""
        leg.number += 1
        self._ask(method, leg.target, leg.here, leg.there, leg.call, leg.number, [f"Route: {r}" for r in leg.route], more, body, media, then)

    def _ask(self, method, target, here, there, call, number, routes, more, body, media, then):
        branch = "z9hG4bK" + secrets.token_hex(8)
        lines = [f"{method} {target} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch}", *routes, "Max-Forwards: 70",
                 f"From: {here}", f"To: {there}", f"Call-ID: {call}", f"CSeq: {number} {method}", *more]
        if body:
            lines.append(f"Content-Type: {media}")
        self.asked[branch] = then
        self._send("\r\n".join(lines + [f"Content-Length: {len(body.encode())}", "", body]))

    # What comes.

    def _answered(self, message):
        found = re.search(r"branch=([^;\s]+)", header(message, "Via"))
        then = self.asked.get(found[1]) if found else None
        status = int(message.split()[1])
        if then:
            then(status, message)
        if found and status >= 200:
            self.asked.pop(found[1], None)

    def _request(self, message):
        method, target = message.split()[:2]
        if method == "ACK":
            return
        again = self.answers.get((header(message, "Via"), header(message, "CSeq")))
        if again:
            self._send(again)
            return
        name = plain(target).partition(":")[2].partition("@")[0]
        who = plain(uri(header(message, "From")))
        call = header(message, "Call-ID")
        room = next((r for r in self.rooms.values() for p in r.people.values() if p.call == call), None)
        act = getattr(self, "_on_" + method.lower(), None)
        if not act:
            return self._reply(message, "405 Method Not Allowed", "Allow: INVITE, ACK, BYE, CANCEL, SUBSCRIBE, REFER, MESSAGE")
        if tag(header(message, "To")) and method not in ("SUBSCRIBE",) and not room:
            return self._reply(message, "481 Unknown")
        act(message, name, who, room)

    def _contact(self, name):
        return f"Contact: <sip:{name}@{self.domain}>;isfocus"

    def _sdp(self, offer="", name="", who=""):
        """The answer: only one room takes messages in a session."""
        lines = []
        path = re.search(r"^a=path:(\S+)", offer, re.M)
        for medium in re.findall(r"^m=(\S+) \S+ (\S+) (.*?)\r?$", offer, re.M):
            if name == "chat" and medium[0] == "message" and path:
                lines += [f"m=message {self.switch.port} TCP/MSRP *", f"a=path:{self.switch.join(who, path[1])}", "a=setup:passive",
                          "a=accept-types:message/cpim", "a=accept-wrapped-types:text/plain application/im-iscomposing+xml",
                          "a=chatroom:nickname private-messages"]
            else:
                lines.append(f"m={medium[0]} 0 {medium[1]} {medium[2]}")
        return "\r\n".join(["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", *lines, ""])

    def _timer(self, name, message):
        """The session timer of a room, for those that know one."""
        known = any("timer" in v for v in headers(message, "Supported"))
        return [f"Session-Expires: {TIMERS[name]}", "Require: timer"] if known and name in TIMERS else []

    def _on_invite(self, message, name, who, room):
        if room:
            return self._reply(message, "200 OK", self._contact(room.name), *self._timer(room.name, message), body=self._sdp(message.partition("\r\n\r\n")[2]), media="application/sdp")
        special = {"closed": "403 Forbidden", "full": "486 Busy Here", "sound": "488 Not Acceptable Here"}
        if name in special:
            return self._reply(message, special[name])
        if name in ("moved", "circle"):
            to = "room" if name == "moved" else "circle"
            return self._reply(message, "302 Moved", f"Contact: <sip:{to}@{self.domain}>")
        if name == "busy" and self.busy:
            self.busy -= 1
            return self._reply(message, "503 Later", "Retry-After: 3")
        if name == "busy":
            self.rooms.setdefault("busy", Room("busy", "Busy once"))
        if name == "patient" and int(header(message, "Session-Expires") or 2000) < 2000:
            return self._reply(message, "422 Session Interval Too Small", "Min-SE: 2000")
        people = []
        if name == "factory":
            name = "conf" + secrets.token_hex(3)
            self.rooms[name] = Room(name, header(message, "Subject") or "Ad hoc")
            people = re.findall(r'<entry[^>]*uri="([^"]+)"', message)
        room = self.rooms.get(name)
        if not room:
            return self._reply(message, "404 Not Found")
        methods = "INVITE, ACK, BYE, CANCEL, REFER, NOTIFY" + ("" if name == "chat" else ", MESSAGE") + (", UPDATE" if name == "quick" else "")
        self._reply(message, "200 OK", self._contact(name), f"Allow: {methods}", *self._timer(name, message), body=self._sdp(message.partition("\r\n\r\n")[2], name, who),
                    media="application/sdp")
        here = header(message, "To")
        here = here if tag(here) else f"{here};tag={self._tag(message)}"
        room.people[who] = Leg(header(message, "Call-ID"), here, header(message, "From"), uri(header(message, "Contact")),
                               headers(message, "Record-Route"))
        room.leads = room.leads or who
        self._tell(room, [who])
        for p in people:
            self._call(room, plain(p), None)

    def _on_update(self, message, name, who, room):
        if not room or room.name != "quick":
            return self._reply(message, "405 Method Not Allowed", "Allow: INVITE, ACK, BYE, CANCEL, SUBSCRIBE, REFER, MESSAGE")
        self._reply(message, "200 OK", self._contact(room.name), *self._timer(room.name, message))

    def _on_bye(self, message, name, who, room):
        self._reply(message, "200 OK")
        self._gone(room, who)

    def _on_cancel(self, message, name, who, room):
        self._reply(message, "200 OK")

    def _on_options(self, message, name, who, room):
        self._reply(message, "200 OK", "Allow: INVITE, ACK, BYE, CANCEL, SUBSCRIBE, REFER, MESSAGE")

    def _on_subscribe(self, message, name, who, room):
        expires = int(header(message, "Expires") or 3600)
        call = header(message, "Call-ID")
        room = self.rooms.get(name)
        if not room or header(message, "Event") != "conference":
            return self._reply(message, "489 Bad Event" if room else "404 Not Found")
        self._reply(message, "200 OK", f"Contact: <sip:{name}@{self.domain}>", f"Expires: {expires}")
        watcher = next((w for w in room.watchers if w.call == call), None)
        if not watcher:
            here = header(message, "To")
            here = here if tag(here) else f"{here};tag={self._tag(message)}"
            watcher = Leg(call, here, header(message, "From"), uri(header(message, "Contact")), headers(message, "Record-Route"))
            room.watchers.append(watcher)
        if expires == 0:
            room.watchers.remove(watcher)
        self._notify(room, watcher, "full", self._users(room, [*room.people, *room.calling]), over=expires == 0)

    def _on_message(self, message, name, who, room):
        self._reply(message, "202 Accepted")
        body, media = message.partition("\r\n\r\n")[2], header(message, "Content-Type")
        for other, leg in room.people.items():
            if other != who:
                self._within(leg, "MESSAGE", body=body, media=media)

    def _on_refer(self, message, name, who, room):
        to = uri(header(message, "Refer-To"))
        whom, out = plain(to), "method=bye" in to.lower()
        if out and who != room.leads:
            return self._reply(message, "403 Leaders Only")
        self._reply(message, "202 Accepted", self._contact(room.name))
        leg, number = room.people[who], header(message, "CSeq").split()[0]

        def news(status, words):
            state = "active;expires=60" if status < 200 else "terminated;reason=noresource"
            self._within(leg, "NOTIFY", f"Event: refer;id={number}", f"Subscription-State: {state}", self._contact(room.name),
                         body=f"SIP/2.0 {status} {words}\r\n", media="message/sipfrag;version=2.0")
        if not out:
            return self._call(room, whom, news)
        gone = list(room.people) if whom == f"sip:{room.name}@{self.domain}" else [whom]
        news(200, "OK") if all(g in room.people for g in gone) else news(404, "Not Found")
        for g in gone:
            if g in room.people:
                self._within(room.people[g], "BYE", self._contact(room.name))
                self._gone(room, g)

    def _call(self, room, whom, news):
        """Calls somebody into a room."""
        here, call = f"<sip:{room.name}@{self.domain}>;tag={secrets.token_hex(4)}", secrets.token_hex(8)
        room.calling[whom] = "dialing-out"
        self._tell(room, [whom])
        if news:
            news(100, "Trying")

        def then(status, answer):
            if status < 200:
                if status == 180 and room.calling.get(whom) == "dialing-out":
                    room.calling[whom] = "alerting"
                    self._tell(room, [whom])
                    if news:
                        news(180, "Ringing")
                return
            room.calling.pop(whom, None)
            routes = list(reversed(headers(answer, "Record-Route")))
            leg = Leg(call, here, header(answer, "To"), uri(header(answer, "Contact")) or whom, routes)
            leg.number = 1
            if status < 300:
                room.people[whom] = leg
                self._ask("ACK", leg.target, leg.here, leg.there, call, 1, [f"Route: {r}" for r in routes], (), "", "", None)
            self._tell(room, [whom])
            if news:
                news(status, answer.split("\r\n")[0].split(" ", 2)[2])
        self._ask("INVITE", whom, here, f"<{whom}>", call, 1, [], [self._contact(room.name), f"Subject: {room.subject}",
                  f"Referred-By: <{room.leads}>", "Allow: INVITE, ACK, BYE, CANCEL, REFER, MESSAGE"], self._sdp(), "application/sdp", then)

    def _gone(self, room, who):
        room.people.pop(who, None)
        if room.name == "chat":
            self.switch.leave(who)
        self._tell(room, [who])

    # The roster.

    def _user(self, room, who):
        state = "connected" if who in room.people else room.calling.get(who)
        if not state:
            return f'<user entity={quoteattr(who)} state="deleted"/>'
        role = "<roles><entry>moderator</entry></roles>" if who == room.leads else "<roles><entry>participant</entry></roles>"
        name = escape(who.partition(":")[2].partition("@")[0].capitalize())
        nickname = self.switch.nickname(who) if room.name == "chat" else ""
        nickname = f'<nickname xmlns="urn:ietf:params:xml:ns:xcon-conference-info">{escape(nickname)}</nickname>' if nickname else ""
        return (f'<user entity={quoteattr(who)} state="full"><display-text>{name}</display-text>{nickname}{role}'
                f'<endpoint entity={quoteattr(who)}><status>{state}</status></endpoint></user>')

    def _users(self, room, people):
        return "".join(self._user(room, p) for p in people)

    def _tell(self, room, changed):
        for watcher in room.watchers:
            self._notify(room, watcher, "partial", self._users(room, changed))

    def _notify(self, room, watcher, state, users, over=False):
        watcher.version += 1
        description = f"<conference-description><subject>{escape(room.subject)}</subject></conference-description>" if state == "full" else ""
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" '
                f'entity="sip:{room.name}@{self.domain}" state="{state}" version="{watcher.version}">{description}'
                f'<conference-state><user-count>{len(room.people)}</user-count></conference-state><users state="{state}">{users}</users></conference-info>')

        def then(status, _):
            if status == 481 and watcher in room.watchers:
                room.watchers.remove(watcher)
        self._within(watcher, "NOTIFY", "Event: conference", f"Subscription-State: {'terminated;reason=timeout' if over else 'active;expires=3600'}",
                     f"Contact: <sip:{room.name}@{self.domain}>", body=body, media="application/conference-info+xml", then=then)

    def _named(self, who):
        """Somebody took another name in the chat room."""
        self._tell(self.rooms["chat"], [who])

    def settled(self, room, seconds=20):
        """Waits until nobody is being called."""
        end = time.monotonic() + seconds
        while self.rooms[room].calling and time.monotonic() < end:
            time.sleep(0.1)
