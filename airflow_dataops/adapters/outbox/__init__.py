"""Alerts on their way: written once, sent by whoever holds the lease, until they are taken."""
