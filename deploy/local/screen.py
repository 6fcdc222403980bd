"""What the runner tells the person who started it: plain lines, at once."""


def say(line: str) -> None:
    """Print a line of progress at once, also into a pipe."""
    print(line, flush=True)
