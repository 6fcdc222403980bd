"""The contractor's mailbox: SMTP in, what arrived over HTTP."""
