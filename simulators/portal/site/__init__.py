"""The portal's pages for people at a contractor: apply, wait, read the key, print the notice, ask for a change.

A look-alike of the pages that the flyer shows, under a name of its own. It keeps what it sent; all else it reads at
the doors of intake and issuer, or hears through its queue.
"""
