"""`sla-tracker --monitor`: what the monitor's DAG does in Airflow, here."""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from airflow_dataops.adapters.airflow_rest import URL
from airflow_dataops.cli.keeping import AIRFLOW, ledger_at
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.sla.misses import SubjectKind, Tier
from airflow_dataops.core.sla.policies import AfterRunStart, RunType, Sla
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.health.sla_config import SlaConfig

LOG = logging.getLogger("airflow_dataops.sla")


class Monitor:
    """Misses of runs and tables, and their alerts.

    Args:
        url: Airflow's api-server; without it, and without `AIRFLOW_API_URL`, no runs are
            watched.
        poll: seconds between two looks at Airflow.
    """

    def __init__(self, config: SlaConfig, url: str | None, poll: float) -> None:
        self.watches_runs = bool(url or os.environ.get(URL))
        self._config = config
        self._url = url
        self._poll = poll
        self._ledger = ledger_at(config.ledger or AIRFLOW)

    def open_misses(self) -> list[Verdict]:
        """Return the misses of runs and assets that are not solved, as verdicts."""
        kinds = set(SubjectKind) - {SubjectKind.TABLE}
        return [
            Verdict(
                check=miss.sla,
                table=f"{miss.subject} {miss.subject.run_id or ''}".strip(),
                status=Status.WARN if miss.warning else Status.FAIL,
                message=f"It was due {miss.due:%Y-%m-%d %H:%M:%S %Z} and is {miss.state}.",
                critical=miss.tier is Tier.CRITICAL,
                owner=miss.owner,
            )
            for miss in self._ledger.open_misses()
            if miss.subject.kind in kinds
        ]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch runs and send alerts in the background until the end of the block.

        What keeps it from watching is logged, and tried again.

        Raises:
            ConfigError: the alerts file is wrong.
        """
        from airflow_dataops.hooks.alerts import alert_sender

        stop = threading.Event()
        sender = alert_sender(ledger=self._ledger)
        threads = [threading.Thread(target=sender.run, args=(stop,), daemon=True)]
        if self.watches_runs:
            threads.append(threading.Thread(target=self._watch, args=(stop,), daemon=True))
        else:
            sys.stderr.write(f"Runs are not watched: name Airflow by --url or {URL}.\n")
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()

    def _watch(self, stop: threading.Event) -> None:
        from airflow_dataops.adapters.watch.loop import WatchLoop
        from airflow_dataops.hooks.sla_watch import open_watch

        more = slas_of(self._config)
        open_ = partial(open_watch, url=self._url, more=more, ledger=self._ledger)
        loop, wait = WatchLoop(open_, lambda: datetime.now(UTC), self._poll), 0.0
        while not stop.wait(wait):
            try:
                wait = loop.step().wait
            except ConfigError as error:
                wait = self._poll
                LOG.error("SLAs are not watched just now: %s", error)


def slas_of(config: SlaConfig) -> tuple[Sla, ...]:
    """Return the pipelines of a config as SLAs of their DAGs."""
    return tuple(
        Sla(
            name="completion_time",
            kind=SubjectKind.DAG,
            dag_id=each.dag,
            due=AfterRunStart(minutes=each.completion_time_sla.target_duration_minutes),
            tier=Tier.CRITICAL if each.critical else Tier.IMPORTANT,
            owner=each.owner,
            run_types=tuple(RunType(name) for name in each.run_types if name in list(RunType)),
        )
        for each in config.pipelines
    )
