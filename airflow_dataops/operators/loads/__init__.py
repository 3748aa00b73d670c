"""One operator per verb; the engine is the connection's.

The names of the package's own map are here too, each loaded when it is asked for.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    import airflow_dataops

    if name.endswith("Operator"):
        return getattr(airflow_dataops, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
