"""Calls what an SLA says is to be called when it is missed."""

from __future__ import annotations

import asyncio
import inspect
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.alerts.context import sla_miss_context
from airflow_dataops.core.sla.policies import CallbackRef
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.masking import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_dataops.core.sla.misses import SlaMiss

LOG = logging.getLogger("airflow_dataops.alerts")


def call_on_sla_miss(
    miss: SlaMiss, callbacks: Iterable[Callable[..., Any] | CallbackRef | str]
) -> int:
    """Call each callback of a miss with its `SlaMissContext`; return how many worked.

    Not in a thread that runs an event loop: a coroutine is run to its end here.

    Args:
        callbacks: an SLA's `on_miss`, functions, notifiers, or dotted paths of such. One that
            fails is logged and keeps no other from being called.
    """
    worked = 0
    for callback in callbacks:
        try:
            _call(callback, dict(sla_miss_context(miss)))
        except Exception as error:  # noqa: BLE001 - a callback may be anybody's code
            name = callback.path if isinstance(callback, CallbackRef) else callback
            LOG.error("on_sla_miss %s failed: %s", name, redacted(str(error)), exc_info=False)
        else:
            worked += 1
    return worked


def _call(callback: Callable[..., Any] | CallbackRef | str, context: dict[str, Any]) -> None:
    kwargs = callback.kwargs if isinstance(callback, CallbackRef) else {}
    found = _imported(callback.path if isinstance(callback, CallbackRef) else callback)
    if isinstance(found, type):
        found, kwargs = found(**kwargs), {}
    result = found(context, **kwargs)
    if inspect.iscoroutine(result):
        asyncio.run(result)


def _imported(callback: Callable[..., Any] | str) -> Callable[..., Any]:
    if not isinstance(callback, str):
        return callback
    module, _, name = callback.rpartition(".")
    try:
        found: Callable[..., Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise ConfigError(f"on_sla_miss: there is no {callback}.") from None
    return found
