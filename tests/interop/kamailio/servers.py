"""The programs of this laboratory: Kamailio, baresip and linphone, each in a folder of its own on free ports."""

import json
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from parts import Missed, answers, until  # noqa: E402

DOMAIN = "example.test"
PEOPLE = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"]
TABLES = ["version", "silo", "presentity", "active_watchers", "watchers", "xcap", "pua", "rls_presentity", "rls_watchers"]
EVERYBODY_MAY = """<?xml version="1.0" encoding="UTF-8"?>
<ruleset xmlns="urn:ietf:params:xml:ns:common-policy" xmlns:pr="urn:ietf:params:xml:ns:pres-rules">
<rule id="all"><conditions><identity><many domain="example.test"/></identity></conditions>
<actions><pr:sub-handling>allow</pr:sub-handling></actions><transformations/></rule></ruleset>"""


def both_ports():
    """A port that is free for TCP and UDP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def certificate(directory, name, names):
    """NAME.pem and NAME.key, signed by the authority in ca.pem, which is made when it is not there."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)
    if not (directory / "ca.pem").exists():
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Authority of the tests",
                "-keyout", "ca.key", "-out", "ca.pem")
    (directory / f"{name}.ext").write_text("subjectAltName=" + ",".join(names))
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + names[0].partition(":")[2], "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl("x509", "-req", "-days", "30", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def end(process):
    """Ends a program, in the end by force."""
    if process and process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Kamailio:
    """One server. What it keeps survives a restart, but for the registrations."""

    def __init__(self, directory, names=("DNS:example.test", "URI:sip:example.test", "IP:127.0.0.1")):
        self.dir = directory / "kamailio"
        self.dir.mkdir()
        self.sip, self.tls, self.http, self.focus = both_ports(), both_ports(), both_ports(), both_ports()
        self.xcap = f"http://127.0.0.1:{self.http}/xcap-root"
        self.log = self.dir / "log"
        self.process = None
        certificate(self.dir, "server", list(names))
        self._database()
        text = (HERE / "kamailio.cfg").read_text()
        for word, value in {"DIR": self.dir, "DOMAIN": DOMAIN, "SIP": self.sip, "TLS": self.tls, "HTTP": self.http, "FOCUS": self.focus}.items():
            text = text.replace(f"@{word}@", str(value))
        (self.dir / "kamailio.cfg").write_text(text)

    def _database(self):
        schema = Path("/usr/share/kamailio/dbtext/kamailio")
        (self.dir / "db").mkdir()
        for table in TABLES:
            columns, *rows = (schema / table).read_text().splitlines()
            # An empty text is written as none, and must be read again at a restart.
            columns = columns.replace("(string)", "(string,null)")
            (self.dir / "db" / table).write_text("\n".join([columns, *rows]) + "\n")
        columns = (schema / "subscriber").read_text().splitlines()[0]
        rows = [f"{i}:{name}:{DOMAIN}:{name}-secret:-:-" for i, name in enumerate(PEOPLE, 1)]
        (self.dir / "db" / "subscriber").write_text("\n".join([columns, *rows]) + "\n")

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["kamailio", "-f", self.dir / "kamailio.cfg", "-Y", self.dir, "-P", self.dir / "pid",
                                             "-DD", "-E", "-m", "64", "-M", "8"], stdout=log, stderr=log)

        def up():
            if self.process.poll() is not None:
                raise Missed(f"Kamailio ended at its start; see {self.log}")
            return answers(self.sip) and answers(self.tls) and answers(self.http)
        until("Kamailio listens", up)

    def stop(self):
        end(self.process)

    def heard(self, pattern):
        """Whether a request that fits came in."""
        return re.search(pattern, self.log.read_text(errors="replace"))

    def heard_all(self, pattern):
        """All that fits of what came in."""
        return re.findall(pattern, self.log.read_text(errors="replace"))

    def get(self, who, document):
        """A document of somebody by XCAP; empty when there is none."""
        try:
            return self._ask(who, document, urllib.request.Request)
        except urllib.error.HTTPError as e:
            if e.code != 404:
                raise
            return ""

    def put(self, who, document, media, text):
        """Stores a document of somebody by XCAP."""
        self._ask(who, document, lambda url: urllib.request.Request(url, text.encode(), {"Content-Type": media}, method="PUT"))

    def _ask(self, who, document, request):
        url = f"http://127.0.0.1:{self.http}/xcap-root/{document.format(who=f'sip:{who}@{DOMAIN}')}"
        digest = urllib.request.HTTPDigestAuthHandler()
        digest.add_password(DOMAIN, url, who, f"{who}-secret")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), digest)
        return opener.open(request(url), timeout=10).read().decode()

    def let_everybody_see(self, who):
        """The rule that approves of all watchers of somebody."""
        self.put(who, "pres-rules/users/{who}/index", "application/auth-policy+xml", EVERYBODY_MAY)


class NameServer:
    """Answers SRV questions about the names in a table, with port and host; knows nothing else."""

    def __init__(self, table):
        self.table = table
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(512)
            except OSError:
                return
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1:at + 1 + question[at]].decode())
                at += 1 + question[at]
            kind = struct.unpack("!H", question[at + 1:at + 3])[0]
            found = self.table.get(".".join(labels).lower()) if kind == 33 else None
            answer = question[:2] + struct.pack("!HHHHH", 0x8580, 1, 1 if found else 0, 0, 0) + question[12:at + 5]
            if found:
                port, host = found
                data = struct.pack("!HHH", 1, 1, port) + b"".join(bytes([len(w)]) + w.encode() for w in host.split(".")) + b"\0"
                answer += b"\xc0\x0c" + struct.pack("!HHIH", 33, 1, 60, len(data)) + data
            self.socket.sendto(answer, peer)

    def stop(self):
        self.socket.close()


class Baresip:
    """A phone without sound, driven through its control port."""

    def __init__(self, directory, user, kamailio, watch, transport="udp"):
        self.dir = directory / f"baresip.{user}"
        self.dir.mkdir()
        sip, self.control = both_ports(), both_ports()
        modules = Path(subprocess.run(["dpkg", "-L", "baresip-core"], capture_output=True, text=True, check=True).stdout
                       .split("/ctrl_tcp.so")[0].splitlines()[-1])
        text = (HERE / "baresip.config").read_text()
        for word, value in {"SIP": sip, "CONTROL": self.control, "DIR": self.dir, "MODULES": modules}.items():
            text = text.replace(f"@{word}@", str(value))
        (self.dir / "config").write_text(text)
        (self.dir / "accounts").write_text(
            f'<sip:{user}@{DOMAIN};transport={transport}>;auth_user={user};auth_pass={user}-secret'
            f';outbound="sip:127.0.0.1:{kamailio.sip};transport={transport}";regint=60;pubint=60;answermode=manual\n')
        (self.dir / "contacts").write_text("".join(f'"{w}" <sip:{w}@{DOMAIN}>;presence=p2p\n' for w in watch))
        self.log = self.dir / "log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["baresip", "-4", "-s", "-v", "-f", self.dir, "-p", "/usr/share/baresip"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until("baresip listens", lambda: answers(self.control))
        self.socket = socket.create_connection(("127.0.0.1", self.control))
        self.waiting = b""
        self.events = []

    def tell(self, line):
        """Gives a command; what it answers is among the events."""
        command, _, params = line.partition(" ")
        data = json.dumps({"command": command, "params": params, "token": line}).encode()
        self.socket.sendall(b"%d:%s," % (len(data), data))

    def listen(self, seconds=0.3):
        """Takes what the control port says."""
        while select.select([self.socket], [], [], seconds)[0]:
            data = self.socket.recv(65536)
            if not data:
                return
            self.waiting += data
            while b":" in self.waiting:
                size, _, rest = self.waiting.partition(b":")
                if len(rest) <= int(size):
                    break
                self.events.append(json.loads(rest[:int(size)]))
                self.waiting = rest[int(size) + 1:]
            seconds = 0

    def says(self, what, pattern, command=None, seconds=45):
        """Waits until an event, or the answer to a command, fits."""
        self.events.clear()

        def probe():
            if command:
                self.tell(command)
            self.listen()
            return next((e for e in self.events if re.search(pattern, json.dumps(e))), None)
        return until(what, probe, seconds)

    def wrote(self, pattern):
        """Whether its log, with the trace of SIP, has something."""
        return re.search(pattern, self.log.read_text(errors="replace"))

    def stop(self):
        end(self.process)


class Linphone:
    """linphone-daemon, driven by lines on its standard input."""

    def __init__(self, directory, user, kamailio, watch):
        self.dir = directory / f"linphone.{user}"
        (self.dir / ".local/share/linphone").mkdir(parents=True)
        friends = "".join(f'[friend_{i}]\nurl="{w}" <sip:{w}@{DOMAIN}>\npol=accept\nsubscribe=1\n' for i, w in enumerate(watch))
        (self.dir / "rc").write_text(
            f"[sip]\nsip_port=-1\nsip_tcp_port={both_ports()}\nsip_tls_port=-1\nbind_address=127.0.0.1\nguess_hostname=0\nuse_ipv6=0\n"
            f"default_proxy=0\nregister_only_when_network_is_up=0\n[net]\nmtu=1300\n[video]\nenabled=0\n"
            f"[proxy_0]\nreg_proxy=<sip:127.0.0.1:{kamailio.sip};transport=tcp>\nreg_route=<sip:127.0.0.1:{kamailio.sip};transport=tcp;lr>\n"
            f"reg_identity=sip:{user}@{DOMAIN}\nreg_expires=600\nreg_sendregister=1\npublish=1\npublish_expires=600\n"
            f"[auth_info_0]\nusername={user}\npasswd={user}-secret\nrealm={DOMAIN}\ndomain={DOMAIN}\n{friends}")
        self.log, self.sip = self.dir / "log", self.dir / "sip.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["linphone-daemon", "--auto-answer", "--disable-stats-events", "--config", self.dir / "rc", "--log", self.sip],
                                            stdin=subprocess.PIPE, stdout=log, stderr=log,
                                            env={"HOME": str(self.dir), "PATH": "/usr/bin:/bin"})

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def wrote(self, pattern):
        """Whether its output has something."""
        return re.search(pattern, self.log.read_text(errors="replace"))

    def saw(self, pattern):
        """Whether its trace of SIP has something."""
        return self.sip.exists() and re.search(pattern, self.sip.read_text(errors="replace"))

    def stop(self):
        end(self.process)
