"""What the issuer remembers: `taking_in` adds rows, `moving` loads, locks and saves them, `reading` serves the web.

Arrays go in, rows come out. Rows are always written and locked in the order of their keys, because two handlers that
take the same rows in different orders wait for each other.
"""
