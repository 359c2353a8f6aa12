#!/usr/bin/env python3
"""Sends one text to many people and reports who got it.

    broadcast.py [--program adsum] [--seconds 60] --text "Fire drill at noon" alice@team.example bob@team.example \\
        -- --address news@team.example --front-end fe:5061 --certificate news.pem --ca ca.pem

What follows `--` goes to `adsum app`. Exit code 0: everybody has it; 1: somebody has not.
"""

import argparse
import queue
import sys
import time

from adsum_app import App, complain, say


def main():
    ours, theirs = split(sys.argv[1:])
    parser = argparse.ArgumentParser(description="Send one text to many people.")
    parser.add_argument("--program", default="adsum")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--text", required=True)
    parser.add_argument("people", nargs="+")
    options = parser.parse_args(ours)
    app = App(theirs, options.program)
    if not app.established():
        complain("the endpoint could not be established")
        return 1
    waiting = {}
    failed = 0
    for person in dict.fromkeys(options.people):
        started = app.ask("start_conversation", **{"with": person})
        if not started or not started["ok"]:
            say(f"{person}: {problem(started)}")
            failed += 1
            continue
        sent = app.ask("send_message", conversation=started["conversation"], text=options.text)
        if not sent or not sent["ok"]:
            say(f"{person}: {problem(sent)}")
            failed += 1
            continue
        waiting[sent["message"]] = (person, started["conversation"])
    failed += report(app, waiting, time.monotonic() + options.seconds)
    app.close()
    return 1 if failed else 0


def report(app, waiting, until):
    """Says of each message what became of it; gives how many did not arrive."""
    failed = 0
    while waiting:
        try:
            event = app.events.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            event = None
        if event is None:
            break
        if event.get("event") != "message_state" or event["message"] not in waiting:
            continue
        state = event["state"]
        if state == "Delivered" or isinstance(state, dict):
            person, conversation = waiting.pop(event["message"])
            failed += isinstance(state, dict)
            say(f"{person}: delivered" if state == "Delivered" else f"{person}: {state['Failed']}")
            app.send("end_conversation", conversation=conversation)
    for person, _ in waiting.values():
        say(f"{person}: no answer in time")
    return failed + len(waiting)


def problem(answer):
    return answer["error"]["text"] if answer else "the endpoint has ended"


def split(arguments):
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


if __name__ == "__main__":
    sys.exit(main())
