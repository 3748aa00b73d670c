"""SLAs as plain JSON: how they travel in a serialized DAG, as `default_args["slas"]`.

SLAs that differ in their task alone share one entry, and so do those that differ in their asset
or table, so that ten thousand of them are small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import asdict, replace

from airflow_dataops.core.sla.misses import SubjectKind
from airflow_dataops.core.sla.policies import Sla
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    _Subject = tuple[SubjectKind, str, str]

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
        self._entries: dict[bytes, dict[str, Any]] = {}
        """By what its SLAs share."""
        self._holders: dict[_Subject, bytes] = {}
        """Which of them a subject is in, by the SLA's name."""
        self._names: set[tuple[SubjectKind, str]] = set()
        self._join_all((_alike(sla), _own_id(sla)) for sla in slas)

    def add(self, sla: Sla) -> None:
        """Add an SLA, unless it is there.

        Raises:
            ConfigError: its subject has another one of the same name.
        """
        self._join_all([(_alike(sla), _own_id(sla))])

    def add_entries(
        self, entries: Iterable[dict[str, Any]], about: Callable[[Sla, str], str], dag_id: str
    ) -> list[Sla]:
        """Add what `slas_to_json` wrote for a DAG that had no id yet; return one of each entry.

        Args:
            about: what an id becomes in the DAG.

        Raises:
            ConfigError: a subject has another one of the same name.
        """
        read = msgspec.convert(list(entries), tuple[_Entry, ...])
        added = [replace(_common(entry), dag_id=dag_id) for entry in read]
        self._join_all(
            (common, [about(common, id_) for id_ in _ids(entry)])
            for common, entry in zip(added, read, strict=True)
        )
        return added

    def _join_all(self, slas: Iterable[tuple[Sla, list[str]]]) -> None:
        """Add SLAs, each with the ids that have it; sort once."""
        known = len(self._entries)
        grown: dict[int, list[str]] = {}
        for sla, ids in slas:
            mine = self._join(sla, ids)
            grown[id(mine)] = mine
        for mine in grown.values():
            mine.sort()
        if len(self._entries) > known:
            self[:] = [self._entries[key] for key in sorted(self._entries)]

    def _join(self, common: Sla, ids: list[str]) -> list[str]:
        """Add an SLA of some ids; return all ids of its entry."""
        key, name = msgspec.json.encode(common), (common.kind, common.name)
        new = []
        for id_ in dict.fromkeys(ids):
            holder = self._holders.get((*name, id_))
            if holder is None:
                new.append(id_)
            elif holder != key:
                raise _two_different(common, id_ or common.dag_id)
        entry = self._entries.get(key)
        if entry is None:
            if not ids and name in self._names:
                raise _two_different(common, common.dag_id)
            entry = self._entries[key] = msgspec.to_builtins(common) | {_held(common): []}
            self._names.add(name)
        self._holders.update(((*name, id_), key) for id_ in new)
        mine: list[str] = entry[_held(common)]
        mine += new
        return mine


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


def _own_id(sla: Sla) -> list[str]:
    id_ = sla.subject if _is_data(sla.kind) else sla.task_id
    return [] if id_ is None else [id_]


def _two_different(sla: Sla, where: str | None) -> ConfigError:
    return ConfigError(
        f"{where!r} has two different SLAs called {sla.name!r}; give one of them a name."
    )
