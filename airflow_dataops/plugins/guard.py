"""The rule of the listeners: whatever happens in a hook, the run goes on."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from airflow_dataops.core.masking import mask_error

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

_P = ParamSpec("_P")


def guarded(what: str, log: logging.Logger) -> Callable[[Callable[_P, None]], Callable[_P, None]]:
    """Make a decorator that logs what a hook raises, once per hook and process.

    The signature stays: pluggy reads the names of the arguments from it.

    Args:
        what: what misses something when a hook fails.
    """
    said: set[str] = set()

    def decorate(hook: Callable[_P, None]) -> Callable[_P, None]:
        @wraps(hook)
        def safe(*args: _P.args, **kwargs: _P.kwargs) -> None:
            try:
                hook(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - a listener must never hurt a run
                if hook.__name__ not in said:
                    said.add(hook.__name__)
                    log.warning(
                        "%s missed %s, the run is not touched: %s",
                        what,
                        hook.__name__,
                        mask_error(error),
                    )

        return safe

    return decorate
