"""The outside of every contender: a platform that takes certificates and a mail server, as lean as they can be."""
