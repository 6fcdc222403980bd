"""The issuer: an accepted application becomes guarantees, keys and certificates; portals read here."""
