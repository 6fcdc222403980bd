"""What the documentation of FastStream leads to: one handler, one transaction and one publish for each message.

Pydantic models for what is heard, an asyncpg pool and an HTTP session for the life of the process, one SMTP
connection for each mail, a prefetch of its own for each subscriber, and as many messages in work as that allows.
"""
