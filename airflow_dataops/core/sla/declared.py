"""SLAs as plain JSON: how they travel in a serialized DAG, as `default_args["slas"]`.

SLAs that differ in their task alone share one entry, and so do those that differ in their asset
or table, so that ten thousand of them are small.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import asdict, replace

from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.core.sla.policies import Sla
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KEY = "slas"
"""The key in a DAG's `default_args`."""
TAG = "sla"
"""The tag of the DAGs that have SLAs."""

_TASKS, _SUBJECTS = "task_ids", "subjects"


class _Entry(Sla, frozen=True, forbid_unknown_fields=True):
    """One SLA, or the same one of several tasks, assets or tables."""

    task_ids: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


class SlaList(list[dict[str, Any]]):
    """The entries of a DAG's SLAs, sorted: the same for the same SLAs, however they came."""

    def __init__(self, slas: Iterable[Sla] = ()) -> None:
        super().__init__()
        self._keys: list[bytes] = []
        self._holders: dict[tuple[SubjectKind, str], list[dict[str, Any]]] = {}
        for sla in slas:
            self.add(sla)

    def add(self, sla: Sla) -> None:
        """Add an SLA, unless it is there.

        Raises:
            ConfigError: its subject has another one of the same name.
        """
        id_ = sla.subject if _is_data(sla.kind) else sla.task_id
        self._join(_alike(sla), [] if id_ is None else [id_])

    def add_entries(
        self, entries: Iterable[dict[str, Any]], about: Callable[[Sla, str], str], dag_id: str
    ) -> list[Sla]:
        """Add what `slas_to_json` wrote for a DAG that had no id yet; return one of each entry.

        Args:
            about: what an id becomes in the DAG.

        Raises:
            ConfigError: a subject has another one of the same name.
        """
        added = []
        for entry in msgspec.convert(list(entries), tuple[_Entry, ...]):
            common = replace(_common(entry), dag_id=dag_id)
            self._join(common, sorted(about(common, id_) for id_ in _ids(entry)))
            added.append(common)
        return added

    def _join(self, common: Sla, ids: list[str]) -> None:
        key = msgspec.json.encode(common)
        place = bisect_left(self._keys, key)
        if place == len(self._keys) or self._keys[place] != key:
            entry: dict[str, Any] = msgspec.to_builtins(common)
            named = self._holders.setdefault((common.kind, common.name), [])
            for other in named:
                _refuse(common, sorted({*ids} & {*other[_held(common)]} if ids else {""}))
            entry[_held(common)] = ids
            named.append(entry)
            self._keys.insert(place, key)
            self.insert(place, entry)
            return
        self._extend(self[place], common, ids)

    def _extend(self, entry: dict[str, Any], common: Sla, ids: list[str]) -> None:
        mine = entry[_held(common)]
        others = self._holders[common.kind, common.name]
        for id_ in ids:
            at = bisect_left(mine, id_)
            if at < len(mine) and mine[at] == id_:
                continue
            if len(others) > 1:
                _refuse(common, [id_ for other in others if _has(other[_held(common)], id_)])
            insort(mine, id_)


def slas_to_json(slas: Iterable[Sla]) -> list[dict[str, Any]]:
    """Return SLAs as JSON data: the same for the same SLAs, in whatever order they come.

    Raises:
        ConfigError: a subject has two different ones of the same name.
    """
    return list(SlaList(slas))


def slas_from_json(entries: Any, source: str = "slas") -> tuple[Sla, ...]:
    """Return the SLAs that `slas_to_json` wrote.

    Args:
        source: where the data comes from, for the message.

    Raises:
        ConfigError: it is not such data; tells all mistakes at once, each with its path.
    """
    try:
        found = msgspec.convert(entries, tuple[_Entry, ...])
    except msgspec.ValidationError:
        # Dear to import, and needed only to say what is wrong.
        from airflow_dataops.core.decoding import convert

        found = convert(entries, tuple[_Entry, ...], source=source)
    return tuple(sla for entry in found for sla in _slas_of(entry))


def _is_data(kind: SubjectKind) -> bool:
    return kind in (SubjectKind.ASSET, SubjectKind.TABLE)


def _held(sla: Sla) -> str:
    return _SUBJECTS if _is_data(sla.kind) else _TASKS


def _alike(sla: Sla) -> Sla:
    """Return what an SLA shares with those of other subjects."""
    return replace(sla, subject="") if _is_data(sla.kind) else replace(sla, task_id=None)


def _common(entry: _Entry) -> Sla:
    fields = asdict(entry)
    del fields[_TASKS], fields[_SUBJECTS]
    return _alike(Sla(**fields))


def _ids(entry: _Entry) -> tuple[str, ...]:
    if _is_data(entry.kind):
        return entry.subjects or (entry.subject,)
    return entry.task_ids or ((entry.task_id,) if entry.task_id is not None else ())


def _slas_of(entry: _Entry) -> Iterable[Sla]:
    common = _common(entry)
    if _is_data(entry.kind):
        return (replace(common, subject=id_) for id_ in _ids(entry))
    return (replace(common, task_id=id_) for id_ in _ids(entry) or (None,))


def _has(ids: list[str], id_: str) -> bool:
    at = bisect_left(ids, id_)
    return at < len(ids) and ids[at] == id_


def _refuse(sla: Sla, ids: list[str]) -> None:
    if ids:
        where = ids[0] or sla.dag_id
        raise ConfigError(
            f"{where!r} has two different SLAs called {sla.name!r}; give one of them a name."
        )
