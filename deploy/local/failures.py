"""What can go wrong in the runner and is told in one line instead of a traceback."""


class LocalFailure(Exception):
    """The sentence it is raised with says what happened and, where that is known, what to do."""
