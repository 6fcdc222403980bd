"""How all services speak and deliver. No business rules live here."""
