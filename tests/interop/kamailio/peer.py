"""Somebody's program that talks MSRP without a relay (RFC 4975, RFC 5547), written from the RFCs alone: SIP by UDP, one thread for each connection.

It does as it is told: takes files, sends them whole, cut off in the middle of a chunk, given up, changed, or sends what is no MSRP.
"""

import hashlib
import re
import secrets
import socket
import threading

from focus import header, headers, tag, uri
from parts import Missed, until

CHUNK = 1800


class Peer:
    """Signed in as somebody. `received` are the files that came, by name; `ended` says how connections ended."""

    def __init__(self, user, domain, proxy):
        self.user, self.domain, self.proxy = user, domain, proxy
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.received, self.seen, self.heard, self.waiting = {}, [], [], {}
        self.setup = None
        self.registered = False
        threading.Thread(target=self._run, daemon=True).start()
        self._ask("REGISTER", f"sip:{domain}", f"<sip:{user}@{domain}>", ["Expires: 600"], "", self._signed_in)
        until(f"{user} is registered", lambda: self.registered)

    def stop(self):
        self.socket.close()

    def _signed_in(self, status, _):
        self.registered = status == 200

    # SIP.

    def _run(self):
        while True:
            try:
                data, _ = self.socket.recvfrom(65536)
            except OSError:
                return
            message = data.decode(errors="replace")
            if message.startswith("SIP/2.0 "):
                self._answered(message)
            elif message.strip():
                self.seen.append(message)
                self._request(message)

    def _send(self, text):
        self.socket.sendto(text.encode(), ("127.0.0.1", self.proxy))

    def _ask(self, method, target, to, more, body, then, call=None, number=1, secret="", here=None, media="application/sdp"):
        branch = "z9hG4bK" + secrets.token_hex(8)
        call = call or secrets.token_hex(8)
        here = here or f"<sip:{self.user}@{self.domain}>;tag={secrets.token_hex(4)}"
        lines = [f"{method} {target} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch};rport", "Max-Forwards: 70", f"From: {here}", f"To: {to}",
                 f"Call-ID: {call}", f"CSeq: {number} {method}", f"Contact: <sip:{self.user}@127.0.0.1:{self.port}>", *more]
        lines += [secret] if secret else []
        lines += [f"Content-Type: {media}"] if body else []
        self.waiting[branch] = (method, target, to, more, body, then, call, number, here, media, bool(secret))
        self._send("\r\n".join([*lines, f"Content-Length: {len(body.encode())}", "", body]))
        return call

    def _answered(self, message):
        status = int(message.split()[1])
        found = re.search(r"branch=([^;\s]+)", header(message, "Via"))
        asked = self.waiting.get(found[1]) if found else None
        if not asked or status < 200:
            return
        self.waiting.pop(found[1])
        method, target, to, more, body, then, call, number, here, media, tried = asked
        if method == "INVITE" and status >= 300:
            lines = [f"ACK {target} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={found[1]};rport", "Max-Forwards: 70", f"From: {here}",
                     f"To: {header(message, 'To')}", f"Call-ID: {call}", f"CSeq: {number} ACK", "Content-Length: 0", "", ""]
            self._send("\r\n".join(lines))
        if status in (401, 407) and not tried:
            secret = self._credentials(message, status, method, target)
            self._ask(method, target, to, more, body, then, call, number + 1, secret, here, media)
        elif then:
            then(status, message)

    def _credentials(self, message, status, method, target):
        where, name = ("WWW-Authenticate", "Authorization") if status == 401 else ("Proxy-Authenticate", "Proxy-Authorization")
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', header(message, where)))

        def digest(text):
            return hashlib.md5(text.encode()).hexdigest()
        one = digest(f"{self.user}:{fields['realm']}:{self.user}-secret")
        two = digest(f"{method}:{target}")
        out = f'{name}: Digest username="{self.user}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", uri="{target}"'
        if "qop" in fields:
            return out + f', qop=auth, nc=00000001, cnonce="abcd", response="{digest(":".join([one, fields["nonce"], "00000001", "abcd", "auth", two]))}"'
        return out + f', response="{digest(":".join([one, fields["nonce"], two]))}"'

    def _reply(self, request, status, body=""):
        lines = [f"SIP/2.0 {status}"] + [f"Via: {v}" for v in headers(request, "Via")] + [f"Record-Route: {v}" for v in headers(request, "Record-Route")]
        to = header(request, "To")
        to = to if tag(to) else f"{to};tag=p{re.sub(r'[^a-z0-9]', '', header(request, 'Call-ID'))[:12]}"
        lines += [f"From: {header(request, 'From')}", f"To: {to}", f"Call-ID: {header(request, 'Call-ID')}", f"CSeq: {header(request, 'CSeq')}",
                  f"Contact: <sip:{self.user}@127.0.0.1:{self.port}>"]
        lines += ["Content-Type: application/sdp"] if body else []
        self._send("\r\n".join([*lines, f"Content-Length: {len(body.encode())}", "", body]))

    def _request(self, message):
        method = message.split()[0]
        if method == "INVITE":
            offer = message.partition("\r\n\r\n")[2]
            self.heard.append(offer)
            lines = [line for line in offer.split("\r\n") if line.startswith(("a=file-selector:", "a=file-transfer-id:"))]
            path = re.search(r"^a=path:(\S+)", offer, re.M)[1]
            place = self._listen(lambda near, own: self._take(near, own, path, offer))
            return self._reply(message, "200 OK", self._description(place, "passive", ["a=recvonly", *lines]))
        if method != "ACK":
            self._reply(message, "200 OK" if method in ("BYE", "CANCEL", "MESSAGE", "NOTIFY", "OPTIONS") else "405 Method Not Allowed")

    def _description(self, place, setup, more):
        port, own = place
        return "\r\n".join(["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", f"m=message {port} TCP/MSRP *",
                            f"a=path:{own}", f"a=setup:{setup}", "a=accept-types:*", *more, ""])

    def offer(self, to, name, data, how="whole", setup="passive"):
        """Offers a file; `how` says what is sent when it is taken. Gives a list that gets the answer."""
        answers = []
        print_of = ":".join(re.findall("..", hashlib.sha1(data).hexdigest().upper()))
        more = ["a=sendonly", f'a=file-selector:name:"{name}" type:application/octet-stream size:{len(data)} hash:sha-1:{print_of}',
                f"a=file-transfer-id:{secrets.token_hex(8)}", "a=file-disposition:attachment"]
        path = []

        def then(status, message):
            answers.append((status, message))
            if status == 200:
                path.append(re.search(r"^a=path:(\S+)", message, re.M)[1])
                routes = [f"Route: {r}" for r in reversed(headers(message, "Record-Route"))]
                lines = [f"ACK {uri(header(message, 'Contact'))} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport",
                         *routes, "Max-Forwards: 70", f"From: {header(message, 'From')}", f"To: {header(message, 'To')}",
                         f"Call-ID: {header(message, 'Call-ID')}", f"CSeq: {header(message, 'CSeq').split()[0]} ACK", "Content-Length: 0", "", ""]
                self._send("\r\n".join(lines))
        place = self._listen(lambda near, own: self._give(near, own, path, data, how)) if setup != "active" else (9, "msrp://127.0.0.1:9/nobody7;tcp")
        self._ask("INVITE", f"sip:{to}", f"<sip:{to}>", [], self._description(place, setup, more), then)
        return answers

    def say(self, to, text):
        """A message outside of sessions."""
        self._ask("MESSAGE", f"sip:{to}", f"<sip:{to}>", [], text, None, media="text/plain")

    # MSRP.

    def _listen(self, serve):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(60)
        port = listener.getsockname()[1]
        own = f"msrp://127.0.0.1:{port}/{secrets.token_hex(10)};tcp"

        def run():
            try:
                near, _ = listener.accept()
                serve(near, own)
                near.close()
            except OSError:
                pass
            listener.close()
        threading.Thread(target=run, daemon=True).start()
        return port, own

    def _frames(self, near):
        """The frames that come: headers, content, flag."""
        waiting = b""
        while True:
            start = re.match(rb"MSRP (\S+) ", waiting)
            end = start and re.search(rb"-------" + re.escape(start[1]) + rb"([$+#])\r\n", waiting)
            if not end:
                data = near.recv(65536)
                if not data:
                    return
                waiting += data
                continue
            frame, flag, waiting = waiting[:end.start()], end[1].decode(), waiting[end.end():]
            head, _, body = frame.partition(b"\r\n\r\n")
            yield head.decode(), body[:-2], flag

    def _value(self, head, name):
        found = re.search(rf"^{name}: (.*?)\r?$", head, re.M)
        return found[1] if found else ""

    def _answer(self, near, head, own, there):
        near.sendall(f"MSRP {head.split()[1]} 200 OK\r\nTo-Path: {there}\r\nFrom-Path: {own}\r\n-------{head.split()[1]}$\r\n".encode())

    def _take(self, near, own, there, offer):
        """Takes a file and says so."""
        selector = re.search(r'^a=file-selector:.*?name:"([^"]*)".*?size:(\d+)', offer, re.M)
        got = bytearray(int(selector[2]))
        chunks = 0
        for head, body, flag in self._frames(near):
            if " SEND" not in head.split("\r\n")[0]:
                continue
            self._answer(near, head, own, there)
            if not body:
                continue
            start = int(self._value(head, "Byte-Range").split("-")[0]) - 1
            got[start:start + len(body)] = body
            chunks += 1
            if flag == "$":
                self.received[selector[1]] = (bytes(got), chunks)
                tid = secrets.token_hex(6)
                near.sendall((f"MSRP {tid} REPORT\r\nTo-Path: {there}\r\nFrom-Path: {own}\r\nMessage-ID: {self._value(head, 'Message-ID')}\r\n"
                              f"Byte-Range: 1-{len(got)}/{len(got)}\r\nStatus: 000 200 OK\r\n-------{tid}$\r\n").encode())

    def _give(self, near, own, path, data, how):
        """Sends a file, or something else, as soon as the other side has spoken."""
        frames = self._frames(near)
        head, _, _ = next(frames)
        there = until("the answer", lambda: path)[0]
        self._answer(near, head, own, there)
        if how == "garbage":
            near.sendall(b"HTTP/1.1 200 OK\r\nServer: \x1b]0;owned\x07\r\n\r\n" + secrets.token_bytes(400))
        elif how == "changed":
            data = data[:-1] + bytes([data[-1] ^ 1])
        message = secrets.token_hex(8)
        for start in range(0, len(data), CHUNK):
            if how == "garbage":
                break
            part, tid = data[start:start + CHUNK], secrets.token_hex(6)
            last = start + CHUNK >= len(data)
            flag = "$" if last else "+"
            if how == "given up" and start > len(data) // 2:
                part, flag, last = b"", "#", True
            end = "*" if part else start
            frame = (f"MSRP {tid} SEND\r\nTo-Path: {there}\r\nFrom-Path: {own}\r\nMessage-ID: {message}\r\nByte-Range: {start + 1}-{end}/{len(data)}\r\n"
                     f"Success-Report: yes\r\nContent-Type: application/octet-stream\r\n\r\n").encode() + part + f"\r\n-------{tid}{flag}\r\n".encode()
            if how == "cut off" and start > len(data) // 2:
                near.sendall(frame[:len(frame) // 2])
                return
            near.sendall(frame)
            if last:
                break
        for head, _, _ in frames:
            if " REPORT" in head.split("\r\n")[0] and self._value(head, "Status").startswith("000 200"):
                self.heard.append("REPORT")


def refused(answers):
    """The status and the words of a refusal."""
    status, message = until("an answer", lambda: answers)[0]
    if status < 300:
        raise Missed(f"it was not refused: {status}")
    return status, header(message, "Warning")
