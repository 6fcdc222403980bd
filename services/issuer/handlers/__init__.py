"""What the issuer does with what it hears: `conclusion` makes guarantees and certificates, `outcomes` records what
became of them outside; `means` is what is bound to the first, `telling` how both tell of it.
"""
