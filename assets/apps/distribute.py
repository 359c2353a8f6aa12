#!/usr/bin/env python3
"""Hands everybody who writes to it to the first available person of a group.

    distribute.py [--program adsum] [--once] alice@team.example bob@team.example \\
        -- --address help@team.example --front-end fe:5061 --certificate help.pem --ca ca.pem

It asks for the presence of the group, tries the most available first, and invites one after the other until somebody
comes; the conversation becomes a conference, and the distributor leaves it.
"""

import argparse
import sys
import threading

from adsum_app import App, complain, say

# Do Not Disturb and everything less available than it is not asked; an unknown presence is worth a try.
AVAILABLE_BELOW = 9000


def main():
    ours, theirs = split(sys.argv[1:])
    parser = argparse.ArgumentParser(description="Hand callers to the first available person of a group.")
    parser.add_argument("--program", default="adsum")
    parser.add_argument("--once", action="store_true", help="end after the first caller")
    parser.add_argument("group", nargs="+")
    options = parser.parse_args(ours)
    app = App(theirs, options.program)
    if not app.established():
        complain("the endpoint could not be established")
        return 1
    group = [address(person) for person in options.group]
    presence = {}
    app.ask("watch", uris=group)
    say("ready")
    served = set()
    while (event := app.events.get()) is not None:
        if event["event"] == "presence":
            presence[event["uri"]] = availability(event["presence"])
        elif event["event"] == "message" and event["conversation"] not in served:
            served.add(event["conversation"])
            caller = event["message"]["author"]
            order = sorted((p for p in group if p != caller and willing(presence.get(p))), key=lambda p: presence.get(p) or 9000)
            # Inviting takes its time; the next caller must not wait for it.
            thread = threading.Thread(target=hand_over, args=(app, event["conversation"], caller, order))
            thread.start()
            if options.once:
                thread.join()
                break
    return app.close()


def hand_over(app, conversation, caller, order):
    for person in order:
        say(f"{caller}: asking {person}")
        answer = app.ask("invite", conversation=conversation, uri=person)
        if answer and answer["ok"]:
            say(f"{caller}: handed to {person}")
            app.ask("end_conversation", conversation=conversation)
            return
        say(f"{person}: {answer['error']['text'] if answer else 'the endpoint has ended'}")
    say(f"{caller}: nobody is available")
    app.ask("send_message", conversation=conversation, text="Nobody is available just now. Please try again later.")


def willing(number):
    return number is None or number < AVAILABLE_BELOW


def availability(presence):
    """The number of a presence, None where it is unknown (3000 to 17999 is somebody there)."""
    number = presence.get("availability")
    return number if isinstance(number, int) and number >= 3000 else None


def address(text):
    return text.lower() if text.startswith("sip:") else f"sip:{text.lower()}"


def split(arguments):
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


if __name__ == "__main__":
    sys.exit(main())
