"""The garbage collector, out of the way of what makes many objects that stay."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector from walking, again and again, over what is being made.

    Reading a manifest and planning it is a third faster for it. What was made counts as old
    afterwards, so that the next collection does not begin with it.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not _is_frozen():
            # Together they only move everything to the oldest generation.
            gc.freeze()
            gc.unfreeze()
        gc.enable()


@cache
def _is_frozen() -> bool:
    """Tell whether somebody has frozen what this process began with, as Airflow does.

    To count what is frozen takes as long as there is of it: tens of milliseconds a manifest.
    """
    return gc.get_freeze_count() > 0
