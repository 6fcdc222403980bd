"""Overload and abuse: each file lets somebody do something unbearable to a whole system and tells what that did.

An abuse gets a living world and its portals, and gives back `Findings`: figures, and the rules that did not hold.
"""
