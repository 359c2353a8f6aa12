"""The little both examples share: an `adsum app` process, requests with answers, and events."""

import json
import queue
import subprocess
import sys
import threading


class App:
    """An application endpoint; the arguments are those of `adsum app`."""

    def __init__(self, arguments, program="adsum"):
        self.process = subprocess.Popen(
            [program, "app", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.events = queue.Queue()
        self.answers = {}
        self.arrived = threading.Condition()
        self.last = 0
        self.ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            if "ok" in said:
                with self.arrived:
                    self.answers[said["id"]] = said
                    self.arrived.notify_all()
            else:
                self.events.put(said)
        with self.arrived:
            self.ended = True
            self.arrived.notify_all()
        self.events.put(None)

    def send(self, op, **fields):
        """Sends a request; its id fetches the answer."""
        self.last += 1
        line = json.dumps({"id": self.last, "op": op, **fields})
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.last

    def answer(self, request):
        """Waits for the answer to a request; None when the endpoint has ended."""
        with self.arrived:
            self.arrived.wait_for(lambda: request in self.answers or self.ended)
            return self.answers.pop(request, None)

    def ask(self, op, **fields):
        """Sends a request and waits for its answer."""
        return self.answer(self.send(op, **fields))

    def established(self):
        """Waits until the endpoint stands; False when it never does."""
        while (event := self.events.get()) is not None:
            if event.get("event") == "state" and event["state"] == "Established":
                return True
        return False

    def close(self):
        """No more requests: the endpoint finishes what runs and ends. Gives its exit code."""
        self.process.stdin.close()
        return self.process.wait()


def say(text):
    print(text, flush=True)


def complain(text):
    print(text, file=sys.stderr, flush=True)
