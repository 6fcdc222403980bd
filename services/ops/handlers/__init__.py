"""What ops does: keep what it hears (`hearing`), send parked facts again or discard them (`acting`), and look whether
everything is where it should be (`reconciling`, `watching`).
"""
