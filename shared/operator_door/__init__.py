"""The operator door: what every service shows and lets be pressed, over HTTP, for the console and the command line.

Nobody reads another service's tables; whoever wants to know what waits, why, and until when asks here. `operators` is
who may come in and `keeper` lets them in, `routes` is what there is to see, `errands` what there is to press, `acts`
how an act is recorded, `ledger` what a service tells for the ledger, `keys` what of it is sealed by which key.
"""
