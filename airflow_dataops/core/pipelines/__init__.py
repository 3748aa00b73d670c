"""Pipelines written in YAML: bytes of a file -> pipelines, all plain data."""
