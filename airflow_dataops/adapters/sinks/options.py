"""What the sinks have in common: reading options, checking answers, writing numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.errors import ConfigError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.metrics.settings import SinkSpec


def options_of(spec: SinkSpec, known: Iterable[str]) -> dict[str, str]:
    """Return the options of an address.

    Raises:
        ConfigError: one of them is not known.
    """
    known = tuple(known)
    if unknown := sorted(set(spec.options) - set(known)):
        raise ConfigError(
            f"sink {spec.kind} has no option {unknown[0]!r}; it has {', '.join(known) or 'none'}"
        )
    return spec.options


def seconds_of(spec: SinkSpec, default: float) -> float:
    """Return the option `timeout`, in seconds.

    Raises:
        ConfigError: it is no number above 0.
    """
    text = spec.options.get("timeout", str(default))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < 3600:
        raise ConfigError(f"sink {spec.kind}: timeout is {text!r}; write seconds, such as 5")
    return seconds


def check(worked: bool, message: str) -> None:
    """Raise RetryableError with this message unless it worked."""
    if not worked:
        raise RetryableError(message)


def number(value: float) -> float:
    """Return whole numbers without a point: some servers take no other counts."""
    return int(value) if value == int(value) else value
