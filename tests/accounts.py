"""Real accounts in place of emulators: `pytest -m real_accounts`.

The suites of loads then run on the accounts that REAL_SNOWFLAKE and REAL_BIGQUERY name, each an
Airflow connection (JSON or URI); an engine without one is skipped.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKER = "real_accounts"
_CHOSEN = "TESTS_ON_REAL_ACCOUNTS"
NOT_THE_EMULATORS = "not the emulator's: "
"""How the reason of a gap begins that a real account has too."""


def choose(expression: str) -> None:
    """Note whether the tests are to run on real accounts.

    Args:
        expression: what `-m` was given.
    """
    words = expression.replace("(", " ").replace(")", " ").split()
    chosen = MARKER in words and "not" not in words
    os.environ[_CHOSEN] = "yes" if chosen else ""


def connection(engine: str) -> str | None:
    """Return the Airflow connection of an engine's real account; None for its emulator."""
    if not os.environ.get(_CHOSEN):
        return None
    variable = f"REAL_{engine.upper()}"
    found = os.environ.get(variable)
    if not found:
        pytest.skip(f"set {variable} to an Airflow connection of a real account")
    return found


def gap(gaps: Mapping[str, str], *names: str) -> str | None:
    """Return why a test of one of these names cannot run here, if so."""
    reason = next((gaps[name] for name in names if name in gaps), None)
    real = bool(os.environ.get(_CHOSEN))
    return None if reason and real and not reason.startswith(NOT_THE_EMULATORS) else reason
