"""Factories of TaskGroups."""
