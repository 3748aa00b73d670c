"""The engines that SQL is written for: all that differs from one to the next, as one value each.

To add one, see docs/engines.md; another package brings its own through the entry points
`airflow_dataops.engines`.
"""

from __future__ import annotations

from airflow_dataops.core.engines.registry import (
    engine_names,
    find_engine,
    get_engine,
    is_engine,
    tells_last_change,
)

__all__ = ["engine_names", "find_engine", "get_engine", "is_engine", "tells_last_change"]
