"""The canary: a story told with known keys, and then everything that exists is searched for them in every spelling."""
