"""Airflow's events -> measurements. Every hook only appends to a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

from airflow_dataops.adapters.metrics import current
from airflow_dataops.adapters.metrics.reporting import LOG
from airflow_dataops.core.masking import mask
from airflow_dataops.core.metrics import catalogue as metrics
from airflow_dataops.errors import ConfigError
from airflow_dataops.plugins.configured import make_pipeline
from airflow_dataops.plugins.guard import guarded
from airflow_dataops.plugins.metrics_feed import MetricsFeed
from airflow_dataops.plugins.run_listener import RunListener
from airflow_dataops.plugins.tags import run_tags, task_tags

if TYPE_CHECKING:
    from airflow_dataops.core.metrics.catalogue import Metric

harmless = guarded("Metrics", LOG)
_DEFERRED_SECONDS = 0.2


def make_listeners() -> list[Any]:
    """Make the listeners and the pipeline of this process; none where the settings are wrong."""
    try:
        pipeline = make_pipeline()
    except ConfigError as error:
        LOG.error("Metrics are off: %s", mask(str(error)))
        return []
    current.use(pipeline)
    return [Listener(task_events=pipeline.settings.task_events), RunListener(MetricsFeed())]


class Listener:
    """Hears what happens in the process it is in.

    Task hooks are called in the task's process, and in the api-server for states set by hand;
    run hooks in the scheduler, and in the api-server likewise; asset hooks in the api-server;
    import errors in the DAG processor. What runs did is counted by a feed, after their end.
    """

    def __init__(self, *, task_events: bool) -> None:
        self._task_events = task_events
        self._is_under_way = False

    @hookimpl
    @harmless
    def on_task_instance_running(self, previous_state: Any, task_instance: Any) -> None:
        """Count a try that began; from here on the task reports under its own tags."""
        tags = _tags(task_instance)
        current.use_context(tags)
        self._is_under_way = True
        if self._task_events:
            current.emit("counter", metrics.TASK_STARTED.name, 1, tags)

    @hookimpl
    @harmless
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
        """Count a try that succeeded."""
        self._ended(previous_state, task_instance, "success")

    @hookimpl
    @harmless
    def on_task_instance_failed(
        self, previous_state: Any, task_instance: Any, error: object
    ) -> None:
        """Count a try that failed, and whether it will be tried again."""
        state = getattr(task_instance, "state", None)
        again = str(getattr(state, "value", state)) == "up_for_retry"
        self._ended(previous_state, task_instance, "up_for_retry" if again else "failed")

    @hookimpl
    @harmless
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:
        """Count a try that skipped itself."""
        self._ended(previous_state, task_instance, "skipped")

    def _ended(self, previous_state: Any, task_instance: Any, state: str) -> None:
        self._is_under_way = False
        by_hand = previous_state is None
        if not by_hand and not self._task_events:
            return
        metric = metrics.TASK_STATE_SET if by_hand else metrics.TASK_ENDED
        tags = (*_tags(task_instance), ("state", state))
        current.emit("counter", metric.name, 1, tags)

    @hookimpl
    @harmless
    def on_dag_run_running(self, dag_run: Any, msg: str) -> None:
        """Count a run that began."""
        tags = run_tags(dag_run.dag_id, dag_run.run_type, dag_run.dag)
        current.emit("counter", metrics.RUN_STARTED.name, 1, tags)

    @hookimpl
    @harmless
    def on_asset_created(self, asset: Any) -> None:
        """Count a new asset."""
        _count(metrics.ASSET_CREATED)

    @hookimpl
    @harmless
    def on_asset_event_emitted(self, asset_event: Any) -> None:
        """Count an asset event."""
        dag = asset_event.source_dag_id
        tags = {"asset": asset_event.asset.name} | ({"dag": dag} if dag else {})
        _count(metrics.ASSET_UPDATED, **tags)

    @hookimpl
    @harmless
    def on_new_dag_import_error(self, filename: str, stacktrace: str) -> None:
        """Count a DAG file that broke."""
        _count(metrics.IMPORT_ERROR_NEW, file=filename)

    @hookimpl
    @harmless
    def on_existing_dag_import_error(self, filename: str, stacktrace: str) -> None:
        """Count a DAG file that is still broken."""
        _count(metrics.IMPORT_ERROR_AGAIN, file=filename)

    @hookimpl
    @harmless
    def before_stopping(self, component: Any) -> None:
        """Send what is left, within the bound: task processes end without another chance.

        A task that was deferred or rescheduled has told no end. Its process must not linger: where
        its trigger fires before the executor has heard of the process's end, Airflow fails it.
        """
        current.flush(_DEFERRED_SECONDS if self._is_under_way else None)


def _tags(task_instance: Any) -> tuple[tuple[str, str], ...]:
    task = getattr(task_instance, "task", None)
    return task_tags(task_instance.dag_id, task_instance.task_id, task, getattr(task, "dag", None))


def _count(metric: Metric, **tags: str) -> None:
    current.emit("counter", metric.name, 1, tuple(tags.items()))
