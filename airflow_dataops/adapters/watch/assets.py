"""Whether assets are as fresh as their SLAs ask for, from the events that Airflow keeps."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.adapters.watch.marks import Marks
from airflow_dataops.core.assets import label
from airflow_dataops.core.sla.judge import judge_age
from airflow_dataops.core.sla.misses import SlaMiss, Subject, SubjectKind
from airflow_dataops.core.sla.policies import MaxAge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.adapters.watch.answers import Asset
    from airflow_dataops.adapters.watch.reader import AirflowReader
    from airflow_dataops.adapters.watch.records import Records
    from airflow_dataops.core.ports import MissSink
    from airflow_dataops.core.sla.judge import Judgement
    from airflow_dataops.core.sla.policies import Sla
    from airflow_dataops.core.sla.rules import Rules


class AssetWatch:
    """Judges the ages of assets."""

    def __init__(
        self, reader: AirflowReader, ledger: LedgerStore, records: Records, sink: MissSink
    ) -> None:
        self._reader = reader
        self._ledger = ledger
        self._sink = sink
        self._marks = Marks(records)

    def check(
        self,
        slas: Sequence[Sla],
        now: datetime,
        tell: Callable[[Sla, SlaMiss], object],
        rules: Rules | None = None,
    ) -> list[SlaMiss]:
        """Tell the assets that are too old, or were since the last look; return the new misses."""
        wanted = [sla for sla in slas if isinstance(sla.due, MaxAge)]
        if not wanted and not (rules and rules.has_assets):
            return []
        listed = self._reader.assets()
        assets = {name: each for each in listed for name in _names(each)}
        if rules is not None:
            known = {(sla.subject, sla.name) for sla in wanted}
            named = rules.of_assets(each.name for each in listed)
            wanted += [sla for sla in named if (sla.subject, sla.name) not in known]
        told = []
        open_ = defaultdict[str, list[SlaMiss]](list)
        for miss in self._ledger.open_misses(kind=str(SubjectKind.ASSET)):
            open_[miss.subject.name].append(miss)
        keys = {miss.key for misses in open_.values() for miss in misses}
        for sla in wanted:
            for miss in self._misses(sla, assets.get(sla.subject), now):
                if miss.key not in keys and self._sink.miss(miss):
                    tell(sla, miss)
                    told.append(miss)
                    open_[sla.subject].append(miss)
            self._solve(sla, assets.get(sla.subject), open_[sla.subject])
        return told

    def _misses(self, sla: Sla, asset: Asset | None, now: datetime) -> list[SlaMiss]:
        """Return each time between two events, and since the last, that was too long."""
        event = None if asset is None else asset.last_asset_event
        last = None if event is None else event.timestamp
        if asset is None or last is None:
            # It may be new: its age is counted from when it was first looked for.
            found = judge_age(sla, self._marks.get(f"awaited:{sla.subject}", now), now)
            told = replace(found, state="never_updated")
            return [_miss(sla, told, now)] if found.is_miss else []
        name = f"asset:{sla.subject}"
        before = self._marks.get(name, last)
        times = [before, last]
        if before != last:
            times = [before, *(e.timestamp for e in self._reader.asset_events(asset.id, before))]
            self._marks.move(name, last)
        gaps = [judge_age(sla, one, other) for one, other in pairwise(times)]
        gaps.append(judge_age(sla, last, now))
        return [_miss(sla, gap, now) for gap in gaps if gap.is_miss]

    def _solve(self, sla: Sla, asset: Asset | None, open_: Iterable[SlaMiss]) -> None:
        """Solve the misses that were due before the asset's newest event would be too old."""
        event = None if asset is None else asset.last_asset_event
        if event is None or event.timestamp is None:
            return
        due = judge_age(sla, event.timestamp, event.timestamp).due
        for miss in open_:
            if miss.sla == sla.name and due is not None and miss.due < due:
                self._sink.solve(miss.key)


def _names(asset: Asset) -> tuple[str, ...]:
    """Return all that an SLA may call an asset."""
    return (label(asset.name), asset.name, asset.uri)


def _miss(sla: Sla, found: Judgement, now: datetime) -> SlaMiss:
    return SlaMiss(
        sla=sla.name,
        subject=Subject(kind=sla.kind, name=sla.subject),
        due=found.due or now,
        detected_at=now,
        tier=sla.tier,
        state=found.state,
        since=found.since,
        owner=sla.owner,
        tags=sla.tags,
        escalate=sla.escalate,
    )
