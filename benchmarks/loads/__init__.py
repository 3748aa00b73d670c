"""Loads and transfers beside the best hand-written way and dlt, on the same rows."""
