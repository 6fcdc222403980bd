"""The notifier: the contractor is told."""
