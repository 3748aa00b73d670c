"""The rule of the listener: whatever happens in a hook, the run goes on."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from airflow_dataops.adapters.metrics.reporting import LOG

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_said: set[str] = set()


def harmless(hook: Callable[_P, None]) -> Callable[_P, None]:
    """Log what a hook raises, once per hook and process, and raise nothing.

    The signature stays: pluggy reads the names of the arguments from it.
    """

    @wraps(hook)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            hook(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - metrics must never hurt a run
            if hook.__name__ not in _said:
                _said.add(hook.__name__)
                LOG.warning(
                    "Metrics of %s are missing, the run is not touched: %s: %s",
                    hook.__name__,
                    type(error).__name__,
                    error,
                )

    return guarded
