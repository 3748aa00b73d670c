"""A gate that is closed while a service is down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow_dataops.core.arguments import instance
from airflow_dataops.core.health.watches import BreakerWatch
from airflow_dataops.hooks.breaker import CircuitBreaker
from airflow_dataops.sensors.base import WatchSensor

if TYPE_CHECKING:
    from airflow_dataops.sensors.base import WatchArguments


class BreakerClosedSensor(WatchSensor):
    """Waits while a circuit breaker is open, until it is closed or may be tried again.

    It makes no call and is no probe: of those that it lets through, one is, where they are
    `guarded`.

    Args:
        breaker: the breaker.
    """

    def __init__(self, *, breaker: CircuitBreaker, **arguments: Unpack[WatchArguments]) -> None:
        found = instance(CircuitBreaker, breaker, "breaker")
        watch = {
            "type": BreakerWatch.__name__,
            "name": found.name,
            "reset_after": found.limits.reset_after,
        }
        super().__init__(conn_id=None, watch=watch, **arguments)
