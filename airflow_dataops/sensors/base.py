"""What the sensors have in common: one look, made on a worker or for many in the triggerer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Unpack

import msgspec
from airflow.sdk import BaseSensorOperator
from airflow.sdk.bases.sensor import PokeReturnValue
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)
from airflow.triggers.base import StartTriggerArgs
from msgspec.structs import replace

from airflow_dataops.core.arguments import choice, flag, optional_text, seconds
from airflow_dataops.core.health.steady import Steady
from airflow_dataops.core.health.watches import Seen, errored, read_watch
from airflow_dataops.errors import ConfigError, RetryableError
from airflow_dataops.hooks.masking import redacted
from airflow_dataops.hooks.watching import looker
from airflow_dataops.operators.arguments import CheckedArguments, TaskArguments
from airflow_dataops.planning.callbacks import with_callbacks
from airflow_dataops.triggers.watching import LATE, WatchTrigger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_dataops.core.arguments import Duration
    from airflow_dataops.core.health.watches import Sight

_BACKSTOP = timedelta(minutes=5)
"""After so much more Airflow ends the task, should the triggerer not have."""
_STEADY = "steady"
_EXAMPLES = {"day": "2000-01-01", "since": "2000-01-01T00:00:00+00:00"}
"""What is read in place of a template, so that the rest is checked where it is written."""


class Missing(StrEnum):
    """What becomes of a sensor whose table or file is not there."""

    WAIT = "wait"
    FAIL = "fail"


class SensorArguments(TaskArguments, total=False):
    """What every sensor takes; see Airflow's `BaseSensorOperator`."""

    poke_interval: Duration
    timeout: Duration | None
    soft_fail: bool
    mode: str
    exponential_backoff: bool
    max_wait: Duration | None
    silent_fail: bool
    never_fail: bool


class WatchArguments(SensorArguments, total=False):
    """What the sensors of this package take; see `WatchSensor`."""

    deferrable: bool | None
    missing: str


class WatchSensor(CheckedArguments, BaseSensorOperator):
    """Waits until what it watches is as it should be.

    By default it starts and ends in the triggerer: no worker process is started, and all sensors
    of a connection are answered by the same few queries. With `mode="poke"` or
    `mode="reschedule"`, or `deferrable=False`, it works as every sensor of Airflow. It comes back
    to a worker where it fails, and where it has outlets or hooks of its own.

    Args:
        conn_id: the Airflow connection.
        watch: what is waited for, as plain data; a field may be a template.
        deferrable: whether it waits in the triggerer; by default unless `mode` is given.
        missing: `wait` or `fail` where the table, or the file, is not there.
        steady_for: seconds, or a timedelta, for which what is seen stays the same.

    Raises:
        AirflowSensorTimeout: it waited for `timeout`; with `soft_fail` it is skipped.
        AirflowFailException: waiting cannot help: a column is not there, or is no time.
        RetryableError: the warehouse could not be asked.
    """

    template_fields: Sequence[str] = ("conn_id", "watch")
    ui_color = "#e6f1f2"

    def __init__(
        self,
        *,
        conn_id: str | None,
        watch: Mapping[str, Any],
        deferrable: bool | None = None,
        missing: str = Missing.WAIT,
        steady_for: Duration = 0,
        **arguments: Unpack[SensorArguments],
    ) -> None:
        given: dict[str, Any] = dict(arguments)
        super().__init__(**with_callbacks(given, f"task {given.get('task_id')!r}"))
        self.conn_id = optional_text(conn_id, "conn_id")
        self.watch = dict(watch)
        read_watch({name: _example(name, value) for name, value in watch.items()})
        waits = "mode" not in given if deferrable is None else flag(deferrable, "deferrable")
        if waits and self.exponential_backoff:
            raise ConfigError(
                f"task {self.task_id!r}: exponential_backoff= is of mode='poke' and "
                "mode='reschedule'; all sensors of a connection are looked at together otherwise."
            )
        self.deferrable = waits
        self.missing = choice(Missing, missing, "missing")
        self.steady_for = seconds(steady_for, "steady_for")
        self._steady = Steady()
        self._start_in_triggerer()

    def _start_in_triggerer(self) -> None:
        """Ask the scheduler to defer it at once, where nothing of it has to run before."""
        before = self._pre_execute_hook or self.on_execute_callback
        self.start_from_trigger = self.deferrable and not before
        if self.start_from_trigger:
            path, arguments = self._trigger().serialize()
            self.start_trigger_args = StartTriggerArgs(
                trigger_cls=path,
                trigger_kwargs=arguments,
                next_method=self.ended.__name__,
                timeout=self._latest,
            )

    @property
    def _latest(self) -> timedelta:
        return timedelta(seconds=self.timeout) + _BACKSTOP

    def _trigger(self) -> WatchTrigger:
        return WatchTrigger(
            conn_id=self.conn_id,
            watch=self.watch,
            interval=self.poke_interval,
            timeout=self.timeout,
            steady_for=self.steady_for,
            fails=self.missing is Missing.FAIL,
            soft_fail=self.soft_fail or self.never_fail,
            resumes=bool(self.outlets or self._post_execute_hook),
            returns=self.do_xcom_push,
        )

    def execute(self, context: Context) -> Any:
        """Wait: in the triggerer, or here."""
        if self.deferrable:
            method = self.ended.__name__
            self.defer(trigger=self._trigger(), method_name=method, timeout=self._latest)
        return super().execute(context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once.

        Raises:
            AirflowFailException: waiting cannot help.
            RetryableError: nothing could be found out.
        """
        sight = self._look(context)
        self.log.info("%s: %s", sight.seen, sight.message)
        self._refuse(sight.seen, sight.message)
        return PokeReturnValue(sight.seen is Seen.MET, sight.message)

    def ended(self, context: Context, event: dict[str, Any]) -> str:
        """Go on after the triggerer; return what it saw."""
        seen, message = event["seen"], str(event["message"])
        if seen == LATE:
            waited = timedelta(seconds=self.timeout)
            raise AirflowSensorTimeout(f"It waited for {waited}. {message}")
        self._refuse(Seen(seen), message)
        return message

    def _look(self, context: Context) -> Sight:
        watch = read_watch(self.watch)
        _, look = looker(self.conn_id, watch)
        try:
            [found] = look([watch])
        except Exception as error:  # noqa: BLE001 - each driver has a tree of its own
            found = errored(error)
        found = replace(found, message=redacted(found.message))
        now = datetime.now(UTC)
        steady = self._remembered(context).after(found, now)
        self._remember(steady, context)
        return steady.judged(found, timedelta(seconds=self.steady_for), now)

    def _remembered(self, context: Context) -> Steady:
        """Return what earlier pokes saw, of which each has a process in mode reschedule."""
        if not (self.reschedule and self.steady_for):
            return self._steady
        stored: Any = context["task_state_store"]
        return msgspec.convert(stored.get(_STEADY) or {}, Steady)

    def _remember(self, steady: Steady, context: Context) -> None:
        self._steady = steady
        if self.reschedule and self.steady_for:
            stored: Any = context["task_state_store"]
            stored.set(_STEADY, msgspec.to_builtins(steady))

    def _refuse(self, seen: Seen, message: str) -> None:
        if seen is Seen.WRONG or (seen is Seen.MISSING and self.missing is Missing.FAIL):
            raise AirflowFailException(message)
        if seen is Seen.ERRORED:
            if self.never_fail:
                raise AirflowSkipException(message)
            raise RetryableError(message)


def _example(name: str, value: Any) -> Any:
    return _EXAMPLES.get(name, value) if isinstance(value, str) and "{" in value else value
