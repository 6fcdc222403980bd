"""Faults anyone can run, and the ledger that tells whether anything was lost, doubled, out of order or misdated."""
