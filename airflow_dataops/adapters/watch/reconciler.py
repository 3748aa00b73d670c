"""The reconciler: reads runs over REST, judges their SLAs, tells each miss once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec.structs import replace

from airflow_dataops.adapters.watch.answers import Run
from airflow_dataops.adapters.watch.assets import AssetWatch
from airflow_dataops.adapters.watch.days import DayWatch
from airflow_dataops.adapters.watch.definitions import Definitions
from airflow_dataops.adapters.watch.facts import of_run_to_come
from airflow_dataops.adapters.watch.kept_slas import KeptSlas
from airflow_dataops.adapters.watch.records import Records
from airflow_dataops.adapters.watch.tasks import TaskReader
from airflow_dataops.core.masking import mask_trace
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.facts import State, state_of
from airflow_dataops.core.sla.misses import SlaMiss
from airflow_dataops.core.sla.watching import Look, look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence, Set

    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.adapters.watch.answers import Dag
    from airflow_dataops.adapters.watch.reader import AirflowReader
    from airflow_dataops.core.ports import Clock, MissSink
    from airflow_dataops.core.sla.facts import TaskFacts
    from airflow_dataops.core.sla.misses import Past
    from airflow_dataops.core.sla.policies import Sla
    from airflow_dataops.core.sla.rules import Rules
    from airflow_dataops.core.sla.watching import NewMiss, Watched

    Key = tuple[str, str]

LOG = logging.getLogger("airflow_dataops.sla")
OVERLAP = timedelta(seconds=60)
"""So far apart the clocks of the workers, the scheduler and this machine may be."""
_AT_ONCE = 200
_SELDOM = timedelta(minutes=10)
_FEW = 50


class Pass(Struct, frozen=True):
    """What one pass did.

    Attributes:
        runs: number of runs that are watched, and of those that were `looked` at.
        misses: those that are new; `warnings` likewise.
        solved: number of misses and warnings that are over.
        next_due: when the next SLA is due.
        requests: number of requests to Airflow.
    """

    runs: int = 0
    looked: int = 0
    misses: tuple[SlaMiss, ...] = ()
    warnings: tuple[SlaMiss, ...] = ()
    solved: int = 0
    next_due: datetime | None = None
    requests: int = 0


class Reconciler:
    """Watches one Airflow. Any number may: a miss that another has told is not told again.

    Args:
        ledger: where it keeps which runs are open, so that a restart loses nothing.
        tell: called with each new miss and its SLA, after the alert is in the outbox.
        history: earlier runs of an SLA's subject in a DAG, newest first.
        more: SLAs that no DAG declares.
        rules: the SLA file.
        url: of Airflow's pages, for links.
    """

    def __init__(
        self,
        reader: AirflowReader,
        ledger: LedgerStore,
        sink: MissSink,
        clock: Clock,
        *,
        tell: Callable[[Sla, SlaMiss], object] = lambda sla, miss: None,
        history: Callable[[str, Sla], Sequence[Past]] = lambda dag_id, sla: (),
        more: Sequence[Sla] = (),
        rules: Rules | None = None,
        url: str = "",
    ) -> None:
        self.definitions = Definitions(reader, more, rules)
        self._reader = reader
        self._records = Records(ledger.database)
        self._assets = AssetWatch(reader, ledger, self._records, sink)
        self._days = DayWatch(reader, self.definitions, ledger, self._records, sink)
        self._dags: dict[str, Dag] = {}
        self._slas = KeptSlas(ledger)
        self._sink = sink
        self._clock = clock
        self._tell = tell
        self._history = history
        self._url = url.rstrip("/")
        self._tasks = TaskReader(reader, self.definitions)
        self._watched: dict[Key, Watched] | None = None
        self._settled: dict[Key, tuple[datetime | None, str]] = {}
        self._looked_after = clock.now()

    def run_once(self) -> Pass:
        """Look at all runs that need it.

        Raises:
            ConfigError: Airflow refuses; see `airflow_api`.
            RetryableError: Airflow cannot be reached. The next pass makes up for it.
        """
        now, before = self._clock.now(), self._reader.requests
        if self._watched is None:
            self._watched = {each.key: each for each in self._records.open()}
        since = self._records.mark(now) - OVERLAP
        changed = self._see(now, since)
        looks = self._look_at(self._due_for_a_look(changed, now), now)
        misses = self._act(looks, mark=now)
        misses += self._assets.check(
            self.definitions.of_assets(), now, self._tell, self.definitions.rules
        )
        misses += self._days.check(self._dags, now, self._tell)
        dues = [each.next_due for each in self._watched.values() if each.next_due is not None]
        return Pass(
            runs=len(self._watched),
            looked=len(looks),
            misses=tuple(miss for miss in misses if not miss.warning),
            warnings=tuple(miss for miss in misses if miss.warning),
            solved=sum(len(each.solved) for each in looks),
            next_due=min(dues, default=None),
            requests=self._reader.requests - before,
        )

    def look_at(self, runs: Sequence[Run], now: datetime | None = None) -> Pass:
        """Look at some runs alone, for example because they are due just now."""
        at, before = now or self._clock.now(), self._reader.requests
        self.definitions.refresh({run.dag_id for run in runs}, at)
        found = self._records.register(runs, at)
        looks = self._look_at([each for each in found if not each.settled], at)
        misses = self._act(looks)
        return Pass(
            runs=len(found),
            looked=len(looks),
            misses=tuple(miss for miss in misses if not miss.warning),
            warnings=tuple(miss for miss in misses if miss.warning),
            solved=sum(len(each.solved) for each in looks),
            requests=self._reader.requests - before,
        )

    def _see(self, now: datetime, since: datetime) -> set[Key]:
        """Bring the runs up to date; return those that changed."""
        assert self._watched is not None  # noqa: S101 - for the type checker
        dags = {dag.dag_id: dag for dag in self._reader.dags()}
        if (rules := self.definitions.rules) is not None:
            dags |= {dag.dag_id: dag for dag in self._reader.dags(()) if rules.takes(dag.dag_id)}
        self._dags = dags
        named = self.definitions.dags_named
        self.definitions.refresh({*dags, *named}, now)
        of_runs = {id_: self.definitions.of_runs(id_) for id_ in {*dags, *named}}
        self._slas.keep(chain(*of_runs.values(), self.definitions.of_assets()), now)
        ids = sorted(id_ for id_, slas in of_runs.items() if slas)
        seen = {run.key: run for run in self._reader.unfinished_runs(ids)}
        # In this order: what ends between the two requests is in the second.
        seen |= {run.key: run for run in self._reader.ended_runs(ids, since)}
        expected = {
            run.key: run for id_ in ids if id_ in dags and (run := _to_come(dags[id_], now))
        }
        again = self._look_after(seen.keys() | expected.keys(), now)
        seen = expected | seen | again
        news = [run for run in seen.values() if run.key in again or self._is_news(run)]
        registered = {each.key: each for each in self._records.register(news, now)}
        self._settled = {key: state for key, state in self._settled.items() if key in seen}
        changed = {key for key, each in registered.items() if each != self._watched.get(key)}
        self._watched |= registered
        for key, each in registered.items():
            if each.settled and key not in again:
                self._settle(key, each)
        return changed | again.keys()

    def _look_after(self, seen: Set[Key], now: datetime) -> dict[Key, Run]:
        """Return runs that ought to be among those seen, as they are now; forget deleted ones.

        And, seldom, those that ended with misses: somebody may have marked them as done.
        """
        assert self._watched is not None  # noqa: S101 - for the type checker
        lost = [each for each in self._watched.values() if not _has_ended(each)]
        if now - self._looked_after >= _SELDOM:
            self._looked_after = now
            lost += self._records.unsolved()
        found: dict[Key, Run] = {}
        for each in [each for each in lost if each.key not in seen][:_FEW]:
            run = self._reader.run(*each.key)
            if run is None:
                self._drop(each, now)
            else:
                found[each.key] = run
        return found

    def _is_news(self, run: Run) -> bool:
        assert self._watched is not None  # noqa: S101 - for the type checker
        known = self._watched.get(run.key)
        if known is None:
            return self._settled.get(run.key) != (run.queued_at, run.state)
        facts = replace(run.facts(), clear_number=known.run.clear_number)
        return (known.run, known.queued_at) != (facts, run.queued_at)

    def _due_for_a_look(self, changed: set[Key], now: datetime) -> list[Watched]:
        assert self._watched is not None  # noqa: S101 - for the type checker
        return [
            each
            for key, each in self._watched.items()
            if key in changed
            or (each.next_due is not None and each.next_due <= now)
            or (not _has_ended(each) and (each.open or each.unstarted))
        ]

    def _look_at(self, runs: Sequence[Watched], now: datetime) -> list[Look]:
        found = [self._look_ahead(each, now) for each in runs]
        looks = [each for each in found if each is not None]
        rest = [each for each, ahead in zip(runs, found, strict=True) if ahead is None]
        for start in range(0, len(rest), _AT_ONCE):
            looks += self._look_closely(rest[start : start + _AT_ONCE], now)
        return looks

    def _look_ahead(self, watched: Watched, now: datetime) -> Look | None:
        """Look at a run as if nothing of it had begun; None where it depends on what has.

        While nothing is due it does not matter what has been done, so that a run costs no
        request when it is new.
        """
        if watched.open or watched.next_due is not None or _has_ended(watched):
            return None
        dag_id = watched.run.dag_id
        slas = self.definitions.of_runs(dag_id)
        found = self._look(watched, of_run_to_come(self.definitions.task_ids(dag_id), slas), now)
        after = found.watched
        return None if found.new or after.unstarted or after.next_due is None else found

    def _look_closely(self, runs: Sequence[Watched], now: datetime) -> list[Look]:
        tasks = self._tasks.of(runs)
        looks = [self._look(each, tasks[each.key], now) for each in runs]
        late = [each.watched for each in looks if each.new]
        if not late:
            return looks
        tasks |= self._tasks.with_neighbours(late, tasks)
        again = {each.key for each in late}
        return [
            self._look(before, tasks[before.key], now) if before.key in again else each
            for before, each in zip(runs, looks, strict=True)
        ]

    def _look(self, watched: Watched, tasks: Sequence[TaskFacts], now: datetime) -> Look:
        dag_id = watched.run.dag_id
        slas = self.definitions.of_runs(dag_id)
        try:
            return look(watched, slas, tasks, now, partial(self._history, dag_id))
        except Exception:  # noqa: BLE001 - whatever it was, it is logged
            # The other runs are watched all the same.
            LOG.error(
                "The SLAs of run %s of %s cannot be judged: %s",
                watched.run.run_id,
                dag_id,
                mask_trace(),
            )
            return Look(new=(), solved=(), watched=watched)

    def _act(self, looks: Iterable[Look], mark: datetime | None = None) -> list[SlaMiss]:
        """Tell what is new, then keep that it was told."""
        told: list[SlaMiss] = []
        looks = list(looks)
        for each in looks:
            for new in each.new:
                told += self._hand_in(new)
            for key in each.solved:
                self._sink.solve(key)
        self._records.keep([each.watched for each in looks], self._clock.now(), mark)
        for each in looks:
            self._remember(each.watched)
        return told

    def _hand_in(self, new: NewMiss) -> list[SlaMiss]:
        miss = replace(new.miss, links={**new.miss.links, **self._links(new.miss)})
        if not self._sink.miss(miss):
            return []
        if not miss.warning:
            self._tell(new.sla, miss)
        return [miss]

    def _links(self, miss: SlaMiss) -> dict[str, str]:
        at = miss.subject
        if not self._url or not at.dag_id or miss.state == "never_started":
            return {}
        return {"Run": f"{self._url}/dags/{quote(at.dag_id)}/runs/{quote(at.run_id or '')}"}

    def _remember(self, watched: Watched) -> None:
        if self._watched is None:
            return
        if watched.settled:
            self._settle(watched.key, watched)
        else:
            self._watched[watched.key] = watched

    def _settle(self, key: Key, watched: Watched) -> None:
        assert self._watched is not None  # noqa: S101 - for the type checker
        self._watched.pop(key, None)
        self._settled[key] = (watched.queued_at, watched.run.state or "")
        self._tasks.forget([key])

    def _drop(self, watched: Watched, now: datetime) -> None:
        """Forget a run that was deleted, or never came and is not expected any more."""
        for key in watched.open:
            self._sink.solve(key)
        self._records.keep([replace(watched, settled=True, open={}, next_due=None)], now)
        self._settle(watched.key, watched)


def _has_ended(watched: Watched) -> bool:
    return state_of(watched.run.state) in (State.DONE, State.FAILED)


def _to_come(dag: Dag, now: datetime) -> Run | None:
    """Return the run that the scheduler ought to have made by now."""
    after = dag.next_dagrun_run_after
    if after is None or after > now or not dag.is_on:
        return None
    return Run(
        dag_id=dag.dag_id,
        # As Airflow will name it when it comes.
        dag_run_id=f"scheduled__{after.isoformat()}",
        run_type="scheduled",
        state="",
        run_after=after,
        data_interval_end=dag.next_dagrun_data_interval_end,
    )
