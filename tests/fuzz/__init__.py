"""Hostile input at every door: what comes of it is counted, and nothing may come of it that has no name."""
