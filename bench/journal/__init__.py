"""The journal of ops with a million entries: how long people wait for what they look up, and how fast it is proved."""
