"""How `hosho` ends, so that a script can tell an alarm from a command that could not run."""

from typing import Final

FOUND: Final = 1
"""It ran, and something is wrong: an alarm, a difference, a broken chain, an act that was not done to all it named."""

NOT_RUN: Final = 2
"""Nothing can be said: the words were not understood, a setting is missing, a token is refused, a server is away."""

TOLD: Final = (
    "Ends with 0 when all is well or done; with 1 when it ran and something is wrong (an alarm, a difference, an act "
    "that was not done); with 2 when nothing can be said (words not understood, a setting missing, a token refused, a "
    "server away)."
)
