"""What every laboratory needs: packages, ports, a recorder between client and server, terminals, and the table of flows."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time


CANNOT = 77
INSTALL_SECONDS = 300


class Missed(Exception):
    """Something expected did not happen in time."""


def as_root():
    """The words that make a command root's; None when nobody here may be root."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def installed(apt, packages):
    """Installs the packages; gives up when the mirrors do not answer."""
    install = [*apt, "install", "-y", "-qq", "--no-install-recommends", *packages]
    try:
        subprocess.run([*apt, "update", "-qq"], timeout=INSTALL_SECONDS, stdout=subprocess.DEVNULL)
        return subprocess.run(install, timeout=INSTALL_SECONDS, stdout=subprocess.DEVNULL).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def require(what, packages, missing):
    """Installs the packages when something is missing; says loudly when that cannot be, and ends."""
    if not missing:
        return
    become = as_root()
    if shutil.which("apt-get") and become is not None:
        if installed([*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], packages):
            return
        why = "apt-get could not install them"
    else:
        why = "only root (or sudo without a password) can install them, on a Debian system"
    bar = "!" * 78
    print(f"{bar}\n!! {what} was NOT TESTED.\n"
          f"!! Missing: {', '.join(missing)}; {why}.\n!! By hand: apt-get install {' '.join(packages)}\n{bar}", file=sys.stderr)
    sys.exit(CANNOT)


def until(what, probe, seconds=45):
    """Waits until `probe` gives something true and returns it."""
    end = time.monotonic() + seconds
    while True:
        try:
            value = probe()
        except subprocess.CalledProcessError:
            value = None
        if value:
            return value
        if time.monotonic() > end:
            raise Missed(what)
        time.sleep(0.2)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    """Whether somebody listens there."""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Tee:
    """Passes TCP on to a port and writes down what goes each way."""

    def __init__(self, target, path):
        self.target, self.path = target, path
        self.log = open(path, "ab", buffering=0)
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for source, sink, sign in ((near, far, b">>>>"), (far, near, b"<<<<")):
                threading.Thread(target=self._copy, args=(source, sink, sign), daemon=True).start()

    def _copy(self, source, sink, sign):
        try:
            while data := source.recv(65536):
                with self.lock:
                    self.log.write(sign + b" %.3f\n" % time.time() + data + b"\n")
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def text(self):
        """Everything so far."""
        with open(self.path, encoding="utf-8", errors="replace") as f:
            return f.read()


class Terminal:
    """A program in a window of tmux."""

    def __init__(self, tmux, name, command, env, term="screen-256color"):
        self.tmux, self.name = tmux, name
        words = ["env"] + [f"{k}={v}" for k, v in {**env, "TERM": term, "LC_ALL": "C.UTF-8"}.items()] + command
        self.call("new-session", "-d", "-s", name, "-x", "120", "-y", "40", shlex.join(words))
        self.call("set-option", "-t", name, "remain-on-exit", "on")

    def call(self, *args):
        return subprocess.run(["tmux", "-S", self.tmux, "-f", "/dev/null", *args], check=True, capture_output=True, text=True).stdout

    def keys(self, *keys):
        """Presses keys by the names of tmux."""
        for key in keys:
            self.call("send-keys", "-t", self.name, key)
            time.sleep(0.15)

    def type(self, text):
        """Types letters."""
        self.call("send-keys", "-t", self.name, "-l", text)
        time.sleep(0.15)

    def accepts(self, asked):
        """Waits for a card and says yes; to one that has just taken another's place, adsum wants to hear it twice."""
        self.sees(asked)
        self.keys("M-y")
        if "press the key once more" in self.screen():
            self.keys("M-y")

    def screen(self):
        return self.call("capture-pane", "-pt", self.name)

    def sees(self, pattern, seconds=45):
        """Waits until the screen matches."""
        return until(f"{self.name}'s screen shows {pattern!r}", lambda: re.search(pattern, self.screen()), seconds)

    def lacks(self, pattern, seconds=45):
        """Waits until the screen no longer matches."""
        return until(f"{self.name}'s screen no longer shows {pattern!r}", lambda: not re.search(pattern, self.screen()), seconds)

    def is_over(self):
        """Whether the program has ended."""
        return self.call("display-message", "-pt", self.name, "#{pane_dead}").strip() == "1"

    def end(self):
        subprocess.run(["tmux", "-S", self.tmux, "kill-session", "-t", self.name], capture_output=True)
