"""The entry point of `airflow-dataops`."""

from __future__ import annotations

import importlib.util
import sys
from typing import NoReturn

from airflow_dataops.errors import DataOpsError, MissingExtraError

FAILED = 1
MISUSED = 2


def run() -> None:
    """Run the command line: exit 0 when it worked, 1 on an error, 2 when it was misused."""
    if any(importlib.util.find_spec(name) is None for name in ("typer", "rich")):
        _stop(MissingExtraError("airflow-dataops on the command line", "cli"), MISUSED)
    from airflow_dataops.cli.app import app

    try:
        app()
    except DataOpsError as error:
        _stop(error, FAILED)


def _stop(error: DataOpsError, code: int) -> NoReturn:
    sys.stderr.write(f"Error: {error}\n")
    sys.exit(code)
