"""Who is measured: each contender does the whole work, from a portal's message to the mail, in its own way.

All of them find the product's own exchanges and queues, declared by the product's own plan, and the same servers.
"""
