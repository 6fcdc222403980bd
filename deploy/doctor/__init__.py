"""What `hosho doctor` looks at beside the plan: disks, clocks, certificates, rights in the database, and signing keys.

Each look gives sentences: what is wrong, a dash, and what mends it. What does not answer is a finding too.
"""
