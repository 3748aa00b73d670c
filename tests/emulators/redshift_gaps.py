"""What Postgres in Redshift's place cannot show; the contract suites skip it with the reason."""

from __future__ import annotations

LOADS: dict[str, str] = {}
"""By the name of a test of loads, without or with its parameters."""
