"""The times of a batch while dbt renders a microbatch model: marks, which each batch fills in.

dbt renders such a model once for each batch, with conditions on what it reads; their times are all
that differs. In conditions dbt takes real times alone, so they are those of no batch, and marks
are put in their place afterwards. What Jinja is given of the batch are marks from the start.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.dbt_placeholders import Moment
from airflow_dataops.core.execution.values import BATCH_BEGIN, BATCH_END
from airflow_dataops.core.manifests.dbt.touched import Kind
from airflow_dataops.core.model import RunValue

if TYPE_CHECKING:
    from airflow_dataops.adapters.dbt_recording import Recorder

_OLD_WAY = "__dbt_internal_microbatch"
"""How models asked for a batch's times before dbt 1.10; dbt still answers."""

_TIMES = {
    BATCH_BEGIN: datetime(1883, 4, 17, 5, 23, 41, 739184, tzinfo=UTC),
    BATCH_END: datetime(1884, 6, 19, 7, 29, 43, 517926, tzinfo=UTC),
}
"""Of no batch that anybody has, and of no text that anybody writes."""


def set_batches(manifest: Any, recorder: Recorder) -> None:
    """Give each microbatch model of a parsed manifest a batch, as dbt does before it compiles it.

    Not where dbt builds such models in one piece, for the project has its own way to.
    """
    if recorder.blind or not manifest.use_microbatch_batches(manifest.metadata.project_name):
        return
    for node in manifest.nodes.values():
        if _is_microbatch(node) and _OLD_WAY not in node.raw_code:
            node.batch = _batch(recorder)


def mark_batches(manifest: Any, recorder: Recorder) -> None:
    """Put marks in the compiled code of a manifest where the times of a batch are."""
    for node in manifest.nodes.values():
        if is_batched(node) and node.compiled_code:
            node.compiled_code = _marked(node, recorder)


def is_batched(node: Any) -> bool:
    """Tell whether a node was given a batch."""
    return getattr(node, "batch", None) is not None


def _marked(node: Any, recorder: Recorder) -> str:
    code: str = node.compiled_code
    for source, time in _TIMES.items():
        code = code.replace(
            str(time), str(recorder.placeholders.mark(RunValue(source=source), time))
        )
        if not recorder.placeholders.real and any(part in code for part in _parts(time)):
            recorder.touched.setdefault(node.unique_id, set()).add(f"{Kind.PLACE}:{source}")
    return code


def _parts(time: datetime) -> tuple[str, ...]:
    return (f"{time:%Y-%m-%d}", f"{time:%Y%m%d}", f"{time:%H:%M:%S}", f"{time:%f}")


def _is_microbatch(node: Any) -> bool:
    config = node.config
    return (
        str(node.resource_type) == "model"
        and config.materialized == "incremental"
        and config.incremental_strategy == "microbatch"
        and node.language == "sql"
    )


def _batch(recorder: Recorder) -> Any:
    begin, end = (Moment.begin(recorder.placeholders, source, recorder.record) for source in _TIMES)
    context = _context()(
        id=str(begin.strftime("%Y%m%d")),
        event_time_start=_TIMES[BATCH_BEGIN],
        event_time_end=_TIMES[BATCH_END],
    )
    context.shown = {"event_time_start": begin, "event_time_end": end}
    return context


@cache
def _context() -> Any:
    """Return dbt's class of batches, which shows other times to Jinja."""
    base: Any = import_module("dbt.contracts.graph.nodes").BatchContext

    class Shown(base):  # type: ignore[misc]
        def __post_serialize__(self, data: Any, context: Any) -> Any:
            return {**super().__post_serialize__(data, context), **self.shown}

    return Shown
