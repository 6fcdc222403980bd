"""The product beside its limit and its peers: the same work, on the same servers, turn by turn in one run."""
