"""The limit of plain messaging: bare drivers, group commits, no validation, no framework, no signature.

Each stage takes what waits in its queue, does one round trip to the database for all of it, publishes what follows
with confirms in flight, and acknowledges only then. There is no outbox and no inbox: what a crash leaves is delivered
again, and unique keys and `on conflict` make the second time harmless.
"""
