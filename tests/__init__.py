"""Tests, grouped by what they need: unit nothing, service real servers, contract, e2e everything, faults."""
