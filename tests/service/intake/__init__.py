"""Intake on the real servers: both doors, and the store behind them."""
