"""Passes of a watcher, one after the other, for as long as it is wanted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_dataops.adapters.watch.reconciler import Pass
from airflow_dataops.core.masking import mask, mask_trace
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import ConfigError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_dataops.adapters.watch.reconciler import Reconciler

LOG = logging.getLogger("airflow_dataops.sla")
POLL_SECONDS = 10.0
_SHORTEST = 1.0
_AFTER_DUE = 0.25
_PATIENCE = 10
"""So many passes in a row may fail before that is somebody's concern."""


class Step(Struct, frozen=True):
    """What came of one pass: its figures, or None where it failed; and how long to wait."""

    found: Pass | None
    wait: float


class WatchLoop:
    """Makes passes; sleeps for a poll period, or until the next SLA is due.

    Args:
        open_: makes the watcher; called again after an error.
        poll: seconds between two passes.
    """

    def __init__(
        self,
        open_: Callable[[], Reconciler],
        now: Callable[[], datetime],
        poll: float = POLL_SECONDS,
    ) -> None:
        self._open = open_
        self._now = now
        self._poll = poll
        self._watch: Reconciler | None = None
        self._failed = 0

    def step(self) -> Step:
        """Make one pass. One that fails is logged; the next makes up for it.

        Raises:
            ConfigError: the first pass, or ten in a row, failed for a wrong setting.
        """
        try:
            self._watch = self._watch or self._open()
            found = self._watch.run_once()
        except RetryableError as error:
            LOG.warning("SLAs are not watched just now: %s", mask(str(error)))
        except ConfigError as error:
            self._failed += 1
            if self._watch is None or self._failed >= _PATIENCE:
                raise
            LOG.error("SLAs are not watched just now: %s", mask(str(error)))
        except Exception:  # whatever it was, a new connection may see better
            self._watch = None
            self._failed += 1
            if self._failed >= _PATIENCE:
                raise
            LOG.error("SLAs are not watched just now: %s", mask_trace())
        else:
            self._failed = 0
            _log(found)
            return Step(found=found, wait=self._wait(found))
        return Step(found=None, wait=self._poll)

    def _wait(self, found: Pass) -> float:
        if found.next_due is None:
            return self._poll
        left = (found.next_due - self._now()).total_seconds() + _AFTER_DUE
        return min(self._poll, max(left, _SHORTEST))


def _log(found: Pass) -> None:
    level = logging.INFO if found.misses or found.solved else logging.DEBUG
    LOG.log(
        level,
        "%d runs are watched, %d looked at with %d requests: %d SLAs missed, %d solved",
        found.runs,
        found.looked,
        found.requests,
        len(found.misses),
        found.solved,
    )
