"""The guarantor's core system and the office's desk for paper orders."""
