"""The ledger: what ran, for how long, with how many rows, at which cost; what was late."""
