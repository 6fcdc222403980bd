"""The municipal confirmation platform (contracts, section 4)."""
