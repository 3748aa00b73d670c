"""Loads that can be run again: one verb each, the same guarantees on every engine."""
