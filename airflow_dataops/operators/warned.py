"""Telling of tests that are only warned of, and of sources that grow old: nothing fails."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.model import Struct
from airflow_dataops.planning.callbacks import callbacks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.sdk import Context

log = logging.getLogger(__name__)


class Warned(Struct, frozen=True):
    """A test that is warned of, or a source.

    Attributes:
        node: unique id.
        failures: rows that the test found, as its `fail_calc` counts them; None for a source.
        stored_in: the table with these rows, where the test keeps them (`store_failures`).
    """

    node: str
    failures: int | None = None
    message: str = ""
    stored_in: str | None = None

    @property
    def name(self) -> str:
        """The name, without package and hash: `not_null_orders_id`."""
        kind, _, rest = self.node.partition(".")
        parts = rest.split(".")
        return ".".join(parts[1:]) if kind == "source" else parts[1] if len(parts) > 1 else rest


def warned_in(results: Iterable[Mapping[str, Any]]) -> list[Warned]:
    """Return what is warned of, of the results of nodes."""
    return [
        Warned(
            node=result["node"],
            failures=result.get("failures"),
            message=result.get("message") or "",
            stored_in=result.get("stored_in"),
        )
        for result in results
        if result.get("status") == "warn"
    ]


def tell_warned(given: Any, context: Context, results: Iterable[Mapping[str, Any]]) -> None:
    """Call the callbacks once, where anything is warned of. What they raise is only logged.

    They get the context of the task with `test_names` and `test_results` as in Cosmos, and
    `warned` beside.
    """
    warned = warned_in(results)
    if not warned:
        return
    told: dict[str, Any] = {
        **context,
        "test_names": [each.name for each in warned],
        "test_results": [each.message for each in warned],
        "warned": warned,
    }
    for callback in callbacks_of(given):
        try:
            callback(told)
        except Exception:
            log.exception("on_warning_callback %r failed", callback)
