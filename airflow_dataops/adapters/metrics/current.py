"""The pipeline of this process, if there is one; light to import, whether there is or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_dataops.adapters.metrics.pipeline import Pipeline

    Value = str | int | float | bool | None
    Pairs = tuple[tuple[str, str], ...]

_LONGEST = 600
"""Longer tags are cut before they wait in the queue; later they are cut to what sinks take."""


class _Process:
    """What this process measures with.

    Attributes:
        context: the tags of the task that runs.
    """

    pipeline: Pipeline | None = None
    context: Pairs = ()


def use(pipeline: Pipeline | None) -> None:
    """Send through this pipeline from now on; None for nothing."""
    _Process.pipeline = pipeline


def use_context(tags: Pairs) -> None:
    """Add these tags to whatever is reported in this process."""
    _Process.context = tags


def is_on() -> bool:
    """Tell whether what is reported goes anywhere."""
    return _Process.pipeline is not None


def report(kind: str, name: object, value: object, tags: Mapping[str, Value] | None = None) -> None:
    """Report what a task measured, with the tags of the task; raises nothing."""
    if _Process.pipeline is None:
        return
    pairs = (*_Process.context, *_pairs(tags.items())) if tags else _Process.context
    emit(kind, _text(name), _number(kind, value), pairs)


def emit(kind: str, name: str, value: float, tags: Pairs) -> None:
    """Report one measurement as it is; returns at once."""
    pipeline = _Process.pipeline
    if pipeline is not None:
        pipeline.put((kind, name, value, tags))


def flush(seconds: float | None = None) -> bool:
    """Try to send everything; return whether it is all sent."""
    pipeline = _Process.pipeline
    return pipeline is None or pipeline.flush(seconds)


def _pairs(tags: Iterable[tuple[object, object]]) -> Pairs:
    return tuple((_text(key), _text(value)) for key, value in tags if value is not None)


def _text(value: object) -> str:
    if type(value) is str:
        return value if len(value) < _LONGEST else value[:_LONGEST]
    try:
        return str(value)[:_LONGEST]
    except Exception:  # noqa: BLE001 - anybody's __str__
        return type(value).__name__


def _number(kind: str, value: object) -> float:
    """Return the value, not-a-number for what is none: that is reported where it is dropped."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return float("nan")
    return number if number >= 0 or kind == "gauge" else float("nan")
