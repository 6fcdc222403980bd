"""What `hosho doctor` looks at beside the plan: disks, clocks, TLS certificates, and the keys that prove certificates.

Each look gives sentences: what is wrong, a dash, and what mends it. What does not answer is a finding too.
"""
