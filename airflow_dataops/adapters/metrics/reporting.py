"""What is said about metrics themselves: each thing once per process."""

from __future__ import annotations

import logging

from airflow_dataops.core.masking import mask

LOG = logging.getLogger("airflow_dataops.metrics")

_MOST = 200


class Reporter:
    """Says each thing once."""

    def __init__(self) -> None:
        self._said: set[tuple[str, ...]] = set()

    def once(self, key: tuple[str, ...], message: str, *arguments: object) -> None:
        """Log a warning, unless one of this key has been logged."""
        if key in self._said or len(self._said) >= _MOST:
            return
        self._said.add(key)
        LOG.warning("%s", mask(message % arguments))

    def again(self, key: tuple[str, ...], message: str, *arguments: object) -> None:
        """Log that what was said under this key holds no more; it may be said again."""
        if key in self._said:
            LOG.info("%s", mask(message % arguments))
