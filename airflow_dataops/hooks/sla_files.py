"""The SLA file, read once as long as it does not change."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.configuration import conf

from airflow_dataops.adapters.local_files import read_settings_file
from airflow_dataops.core.sla.rules import read_rules
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.sla.rules import Rules


def read_sla_file(path: str | Path) -> Rules:
    """Read an SLA file.

    Raises:
        ConfigError: it cannot be read, or is wrong; tells all mistakes at once.
    """
    file = Path(path)
    try:
        return _read(str(file), file.stat().st_mtime_ns)
    except OSError as error:
        raise ConfigError(f"The SLA file {file} cannot be read: {error.strerror}.") from None


def configured_rules() -> Rules | None:
    """Return the SLA file `[dataops] slas`, None where there is none; errors as above."""
    path = conf.get("dataops", "slas", fallback="").strip()
    return read_sla_file(Path(os.path.expandvars(path)).expanduser()) if path else None


@lru_cache(maxsize=8)
def _read(path: str, _changed: int) -> Rules:
    return read_rules(read_settings_file(Path(path)), path)
