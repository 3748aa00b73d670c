"""Runs one node in an open warehouse session."""
