"""What the issuer does with what it hears.

`conclusion` makes guarantees, `changes` their later versions, `steps` is what follows from either: keys, certificates,
paper orders. `outcomes` records what became of them outside. `means` is what is bound to the first two, `telling` how
all of them tell of it.
"""
