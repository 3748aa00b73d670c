"""Triggers: what waits, or goes on and on, in the triggerer."""
