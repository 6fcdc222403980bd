"""Doors that must be locked, tried one by one by whoever must not open them."""
