"""What is done on a screen again and again."""


def add_contact(screen, address):
    screen.keys("M-1", "a")
    screen.type(address)
    screen.keys("Enter")
    screen.sees(f"{address} is on the list")


def go_to(screen, name):
    """Puts the cursor of the people's list on the row of a name; the rows begin in the third line."""
    screen.keys("M-1", "Escape", "g")
    screen.sees(name)
    rows = [line.split("│")[1] if "│" in line else "" for line in screen.screen().splitlines()[2:]]
    screen.keys(*["j"] * next(i for i, row in enumerate(rows) if name in row))


def write_to(screen, name, text):
    """Opens the conversation with somebody on the list and writes."""
    go_to(screen, name)
    screen.keys("Enter")
    say(screen, text)


def say(screen, text):
    screen.sees("Write a message")
    screen.type(text)
    screen.keys("Enter")
