"""Programs that stand for the outside: platform, mailbox, portal and core.

They know the public contracts and nothing else; they share no code with the services.
"""
