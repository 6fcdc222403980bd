"""The rules of the notifier: what a completion mail says, its bytes, and what a mail server's answer means."""
