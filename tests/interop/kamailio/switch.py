"""A chat room's MSRP switch (RFC 4975, RFC 7701) for tests: what one sends, the others get; nicknames; messages to one alone."""

import re
import secrets
import socket
import threading


class Switch:
    """`join` gives a path for somebody's session; whoever connects to it is them."""

    def __init__(self, room, named):
        """`room` is its address; `named` is told of whom another nickname is known."""
        self.room, self.named = room, named
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sessions = {}   # name of our end -> [person, their path, connection]
        self.names = {}      # nickname -> person
        self.seen = []
        self.lock = threading.RLock()
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def join(self, person, path):
        name = secrets.token_hex(8)
        with self.lock:
            self.sessions[name] = [person, path, None]
        return f"msrp://127.0.0.1:{self.port}/{name};tcp"

    def nickname(self, person):
        return next((n for n, p in self.names.items() if p == person), "")

    def leave(self, person):
        with self.lock:
            self.names = {n: p for n, p in self.names.items() if p != person}
            for name in [n for n, s in self.sessions.items() if s[0] == person]:
                self.sessions.pop(name)

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        waiting = b""
        while True:
            try:
                data = near.recv(65536)
            except OSError:
                return
            if not data:
                return
            waiting += data
            while True:
                start = re.match(rb"MSRP (\S+) ", waiting)
                end = start and re.search(rb"-------" + re.escape(start[1]) + rb"([$+#])\r\n", waiting)
                if not end:
                    break
                frame, waiting = waiting[:end.end()].decode(errors="replace"), waiting[end.end():]
                with self.lock:
                    self.seen.append(frame)
                    self._frame(near, frame)

    def _header(self, frame, name):
        found = re.search(rf"^{name}: (.*?)\r$", frame, re.M)
        return found[1] if found else ""

    def _frame(self, near, frame):
        tid, method = frame.split()[1:3]
        to = self._header(frame, "To-Path").split()[0]
        session = self.sessions.get(to.split("/")[3].split(";")[0])
        back = self._header(frame, "From-Path").split()[0]

        def answer(status):
            near.sendall(f"MSRP {tid} {status}\r\nTo-Path: {back}\r\nFrom-Path: {to}\r\n-------{tid}$\r\n".encode())
        if method.isdigit() or method == "REPORT":
            return
        if not session:
            return answer("481 No Session")
        session[2] = near
        if method == "NICKNAME":
            name = self._header(frame, "Use-Nickname").strip('"')
            if self.names.get(name, session[0]) != session[0]:
                return answer("425 Taken")
            self.names = {n: p for n, p in self.names.items() if p != session[0]}
            if name:
                self.names[name] = session[0]
            answer("200 OK")
            return self.named(session[0])
        if method != "SEND":
            return answer("501 Unknown")
        head, _, rest = frame.partition("\r\n\r\n")
        body = rest.rpartition(f"\r\n-------{tid}")[0]
        if not body:
            return answer("200 OK")
        whom = re.search(r"^To: .*?<?(sip:[^>\s]+)", body, re.M)
        if not whom:
            return answer("400 Bad Request")
        others = [s for s in self.sessions.values() if s[0] != session[0]]
        if whom[1] != self.room:
            others = [s for s in others if s[0] == whom[1]]
            if not others:
                return answer("404 Unknown")
        answer("200 OK")
        for name, (person, path, far) in list(self.sessions.items()):
            if far and [person, path, far] in others:
                self._pass_on(name, path, far, self._header(frame, "Message-ID"), body)

    def _pass_on(self, name, path, far, message, body):
        tid = secrets.token_hex(6)
        size = len(body.encode())
        text = (f"MSRP {tid} SEND\r\nTo-Path: {path}\r\nFrom-Path: msrp://127.0.0.1:{self.port}/{name};tcp\r\nMessage-ID: {message}\r\n"
                f"Byte-Range: 1-{size}/{size}\r\nContent-Type: message/cpim\r\n\r\n{body}\r\n-------{tid}$\r\n")
        try:
            far.sendall(text.encode())
        except OSError:
            pass
