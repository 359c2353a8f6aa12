"""What is done on a screen again and again."""

from parts import until


def add_contact(screen, address):
    screen.keys("M-1", "a")
    screen.type(address)
    screen.keys("Enter")
    screen.sees(f"{address} is on the list")


def rows(screen):
    """The rows of the people's list in small letters; they begin in the third line."""
    return [line.split("│")[1].lower() if "│" in line else "" for line in screen.screen().splitlines()[2:]]


def knows(screen, address):
    """Puts somebody on the list who is not there."""
    if not any(address.split("@")[0] in row for row in rows(screen)):
        add_contact(screen, address)


def go_to(screen, name):
    """Puts the cursor of the people's list on the row of a name, which a conference may have written with a capital."""
    screen.keys("M-1", "Escape", "g")
    at = until(f"{name} on {screen.name}'s list", lambda: [i for i, row in enumerate(rows(screen)) if name in row])[0]
    screen.keys(*["j"] * at)


def write_to(screen, name, text):
    """Opens the conversation with somebody on the list and writes."""
    go_to(screen, name)
    screen.keys("Enter")
    say(screen, text)


def say(screen, text):
    screen.sees("Write a message")
    screen.type(text)
    screen.keys("Enter")
