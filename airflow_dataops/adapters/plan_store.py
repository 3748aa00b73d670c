"""Plans, made once per manifest, selection and options, and kept in the host's cache.

The warm path of a parse reads the plan and nothing else: no manifest, no selection. A worker
reads the one task it runs. Of a project that is split, each part is a plan of its own, beside a
list of the parts.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from airflow_dataops.adapters import cache
from airflow_dataops.adapters.collection import no_collection
from airflow_dataops.adapters.record_file import BrokenRecordFileError
from airflow_dataops.core.model import Struct
from airflow_dataops.core.plan import Plan, PlannedTask, PlanOptions, Profile, SplitOptions
from airflow_dataops.errors import ConfigError, ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.adapters.record_file import RecordFile
    from airflow_dataops.adapters.state_store import StoredState
    from airflow_dataops.core.model import Project
    from airflow_dataops.core.selection import NodeSelector

log = logging.getLogger(__name__)

_encode = msgspec.msgpack.Encoder(order="deterministic").encode

T = TypeVar("T")

Selection = str | tuple[str, ...] | None

_FORMAT = b"4"
"""Of the files of plans: other releases' are left alone."""
_PAGE = 64
"""Profiles in one record: a worker reads the page of its task, a parse all of them."""
_SLAS = "all slas"

_selectors: dict[tuple[str, str], NodeSelector] = {}
"""That of the project, and the earlier state, which was selected from last."""


class PlanRequest(Struct, frozen=True):
    """Which part of a manifest to plan, and how.

    `select` and `exclude` are in dbt's selection language; a sequence is a union.

    Attributes:
        start_on: what other DAGs fill and whose freshness starts this one, in the same
            language; None for the models of other projects, empty for nothing.
        on_empty: `error` or `warn`, where a part of a selection matches nothing.
        relations: other names of databases, schemas and aliases, as the caller wrote them.
    """

    select: Selection = None
    exclude: Selection = None
    options: PlanOptions = PlanOptions()
    start_on: Selection = None
    on_empty: str = "error"
    relations: dict[str, dict[str, str]] = {}


class PartRequest(Struct, frozen=True):
    """What a named selector takes for its part."""

    select: Selection = None
    exclude: Selection = None


class SplitRequest(Struct, frozen=True):
    """How to split a project.

    Attributes:
        selectors: by name of the part.
    """

    options: SplitOptions = SplitOptions()
    selectors: dict[str, PartRequest] = {}


class StoredPlan:
    """A plan, of which only what is asked for is decoded.

    Attributes:
        head: the plan without its tasks, and what they share: profiles and SLAs.
    """

    def __init__(self, head: Plan, source: RecordFile | Plan, again: Callable[[], Plan]) -> None:
        """`again` makes the plan, should its record file turn out to be damaged."""
        self.head = head
        self._source = source
        self._again = again
        self._pages: dict[int, tuple[Profile, ...]] = {}

    def tasks(self) -> dict[str, PlannedTask]:
        """Return all tasks by id, sorted."""
        return self._read(
            lambda records: cache.decoded(records.entries, dict[str, PlannedTask]),
            lambda plan: plan.tasks,
        )

    def task(self, id_: str) -> PlannedTask | None:
        """Return one task, None where there is none of that id."""
        return self._read(
            lambda records: _read_task(records, id_), lambda plan: plan.tasks.get(id_)
        )

    def profiles(self) -> tuple[Profile, ...]:
        """Return all profiles by place."""
        found: list[Profile] = []
        while page := self._page(len(found) // _PAGE):
            found += page
            if len(page) < _PAGE:
                break
        return tuple(found)

    def profile(self, place: int) -> Profile:
        """Return one profile."""
        return self._page(place // _PAGE)[place % _PAGE]

    def _page(self, number: int) -> tuple[Profile, ...]:
        """Return some profiles: a worker needs those of its task's page, a parse each page once."""
        if number not in self._pages:
            self._pages[number] = self._read(
                lambda records: _read_page(records, number),
                lambda plan: plan.profiles[number * _PAGE :][:_PAGE],
            )
        return self._pages[number]

    def slas(self) -> tuple[dict[str, Any], ...]:
        """Return the SLAs, as `slas_to_json` writes them, without the DAG's id."""
        return self._read(_read_slas, lambda plan: plan.slas)

    def _read(self, stored: Callable[[RecordFile], T], made: Callable[[Plan], T]) -> T:
        """Return something of the plan, from the record file or of a plan that was made."""
        if not isinstance(self._source, Plan):
            try:
                return stored(self._source)
            except (BrokenRecordFileError, msgspec.MsgspecError):
                return made(self._made())
        return made(self._source)

    def _made(self) -> Plan:
        self._source = made = self._again()
        return made


class StoredSplit:
    """The plans of a project's parts, in an order in which they may run.

    Attributes:
        name: the project's.
        parts: their names; one empty name where the project stayed whole.
    """

    def __init__(
        self, name: str, parts: tuple[str, ...], open_: Callable[[int], StoredPlan]
    ) -> None:
        self.name = name
        self.parts = parts
        self._open = open_

    def plan(self, place: int) -> StoredPlan:
        """Return the plan of one part."""
        return self._open(place)


def open_plan(
    manifest: StoredManifest, request: PlanRequest, state: StoredState | None = None
) -> StoredPlan:
    """Return the plan of a manifest, from the cache or made now.

    Args:
        state: what an earlier run left, where the selection may look at it.

    Raises:
        ManifestError: the manifest is wrong, or has nodes that cannot run.
        ConfigError: the selection is wrong.
    """
    key = _key(manifest, state, request)

    def make() -> Plan:
        return _keep(key, _made(manifest, request, state))

    return _stored(key, make) or _fresh(make())


def open_split(
    manifest: StoredManifest,
    request: PlanRequest,
    split: SplitRequest,
    state: StoredState | None = None,
) -> StoredSplit:
    """Return the plans of a manifest's parts, from the cache or made now.

    Args:
        state: as for `open_plan`.

    Raises:
        ManifestError: the manifest is wrong, or has nodes that cannot run.
        ConfigError: the selection is wrong, parts overlap or wait for each other in a cycle.
    """
    key = _key(manifest, state, request, split)
    fresh: list[Plan] = []

    def make() -> list[Plan]:
        if not fresh:
            plans = _made_split(manifest, request, split, state)
            fresh.extend(_keep(_part(key, place), plan) for place, plan in enumerate(plans))
            cache.store(f"{key}.split", _encode(_named_parts(fresh)))
        return fresh

    def open_(place: int) -> StoredPlan:
        stored = None if fresh else _stored(_part(key, place), lambda: make()[place])
        return stored or _fresh(make()[place])

    name, *parts = _stored_parts(key) or _named_parts(make())
    return StoredSplit(name, tuple(parts), open_)


def _named_parts(plans: list[Plan]) -> tuple[str, ...]:
    """Return the name of a project, and those of its parts."""
    return (plans[0].name, *(plan.part for plan in plans))


def _stored_parts(key: str) -> tuple[str, ...] | None:
    return cache.read(
        f"{key}.split", lambda records: cache.decoded(records.header, tuple[str, ...])
    )


def _stored(key: str, again: Callable[[], Plan]) -> StoredPlan | None:
    name = f"{key}.plan"

    def remade() -> Plan:
        cache.drop(name)
        return again()

    return cache.read(
        name, lambda records: StoredPlan(cache.decoded(records.header, Plan), records, remade)
    )


def _fresh(plan: Plan) -> StoredPlan:
    return StoredPlan(_head(plan), plan, lambda: plan)


def _head(plan: Plan) -> Plan:
    return msgspec.structs.replace(plan, tasks={}, profiles=(), slas=())


def _keep(key: str, plan: Plan) -> Plan:
    """Keep a plan; the same is made again where the host cannot."""
    more: dict[str, object] = {
        _page_name(at // _PAGE): plan.profiles[at : at + _PAGE]
        for at in range(0, len(plan.profiles), _PAGE)
    }
    cache.store(f"{key}.plan", _encode(_head(plan)), plan.tasks, more | {_SLAS: plan.slas})
    return plan


def _page_name(number: int) -> str:
    """Name the record of a page of profiles: no task's id has a space."""
    return f"profiles {number}"


def _read_task(records: RecordFile, id_: str) -> PlannedTask | None:
    record = records.get(id_)
    return None if record is None else cache.decoded(record, PlannedTask)


def _read_page(records: RecordFile, number: int) -> tuple[Profile, ...]:
    record = records.get(_page_name(number))
    return () if record is None else cache.decoded(record, tuple[Profile, ...])


def _read_slas(records: RecordFile) -> tuple[dict[str, Any], ...]:
    record = records.get(_SLAS)
    if record is None:
        raise BrokenRecordFileError(_SLAS)
    return cache.decoded(record, tuple[dict[str, Any], ...])


def _made(manifest: StoredManifest, request: PlanRequest, state: StoredState | None) -> Plan:
    # Dear to import, and needed only where the plan is not in the cache.
    from airflow_dataops.core.plan import make_plan

    with no_collection(), _named(manifest):
        project = _placed(manifest.project(), request)
        selected = _selected(manifest, request, state)
        foreign = _foreign(manifest, request, state)
        plan = make_plan(project, request.options, selected, foreign)
        _refuse_idle((plan,), selected, {}, manifest, request)
    _warn(manifest, plan)
    return _deferring((plan,), manifest, state)[0]


def _refuse_idle(
    plans: tuple[Plan, ...],
    selected: frozenset[str] | None,
    selections: dict[str, frozenset[str]],
    manifest: StoredManifest,
    request: PlanRequest,
) -> None:
    """Tell of selections of which nothing runs."""
    from airflow_dataops.core.plan.idle import REMEDY, idle_selections
    from airflow_dataops.core.selection import SelectionWarning

    for told in idle_selections(plans, selected, selections):
        if request.on_empty != "warn":
            raise ConfigError(f"{told} {REMEDY}, or pass on_empty='warn'.")
        warnings.warn(f"{manifest.source}: {told}", SelectionWarning, stacklevel=2)


def _deferring(
    plans: tuple[Plan, ...], manifest: StoredManifest, state: StoredState | None
) -> tuple[Plan, ...]:
    """Note in plans what none of them builds, where that is read from an earlier state."""
    if state is None or state.deferred_to is None:
        return plans
    state.check_deferral(manifest)
    if not state.favor_state:
        return plans
    built = {id_ for plan in plans for task in plan.tasks.values() for id_ in task.nodes}
    nodes = manifest.project().nodes
    left = sorted(id_ for id_, node in nodes.items() if node.relation and id_ not in built)
    return tuple(msgspec.structs.replace(plan, unselected=tuple(left)) for plan in plans)


def _made_split(
    manifest: StoredManifest,
    request: PlanRequest,
    split: SplitRequest,
    state: StoredState | None,
) -> tuple[Plan, ...]:
    from airflow_dataops.core.plan import split_plan

    with no_collection(), _named(manifest):
        project = _placed(manifest.project(), request)
        selected = _selected(manifest, request, state)
        selections = _selections(manifest, request, split, state)
        plans = split_plan(
            project,
            request.options,
            split.options,
            selected=selected,
            foreign=_foreign(manifest, request, state),
            selections=selections,
        )
        parts = {f"selectors[{name!r}]": taken for name, taken in selections.items()}
        _refuse_idle(plans, selected, parts, manifest, request)
    _warn(manifest, plans[0])
    return _deferring(plans, manifest, state)


def _selections(
    manifest: StoredManifest,
    request: PlanRequest,
    split: SplitRequest,
    state: StoredState | None,
) -> dict[str, frozenset[str]]:
    """Return the ids of the nodes that each part takes, where it is split by selectors."""
    if not split.selectors:
        return {}
    from airflow_dataops.core.selection import OnEmpty

    selector, on_empty = _selector_of(manifest, state), OnEmpty(request.on_empty)
    found = {}
    for name, part in split.selectors.items():
        try:
            found[name] = selector.select(part.select, part.exclude, on_empty=on_empty)
        except ConfigError as error:
            raise ConfigError(f"selectors[{name!r}]: {error}") from None
    return found


@contextmanager
def _named(manifest: StoredManifest) -> Iterator[None]:
    """Say of errors which manifest they are of."""
    try:
        yield
    except ManifestError as error:
        raise ManifestError(manifest.source, error.problems) from None
    except ConfigError as error:
        raise ConfigError(f"{manifest.source}: {error}") from None


def _placed(project: Project, request: PlanRequest) -> Project:
    """Return the project where its tables are in this environment."""
    if not request.relations:
        return project
    from airflow_dataops.core.relocation import read_relocation

    relocation = read_relocation(request.relations, project.adapter)
    return project if relocation is None else relocation.project(project)


def _warn(manifest: StoredManifest, plan: Plan) -> None:
    for warning in plan.warnings:
        log.warning("%s: %s", manifest.source, warning)


def _selected(
    manifest: StoredManifest, request: PlanRequest, state: StoredState | None
) -> frozenset[str] | None:
    asked = request.select is not None or request.exclude is not None
    if not asked and not manifest.project().selectors:
        return None
    from airflow_dataops.core.selection import OnEmpty

    on_empty = OnEmpty(request.on_empty)
    selector = _selector_of(manifest, state)
    return selector.select(request.select, request.exclude, on_empty=on_empty)


def _foreign(
    manifest: StoredManifest, request: PlanRequest, state: StoredState | None
) -> frozenset[str] | None:
    """Return the ids of the nodes that `start_on` names; None where it is not set."""
    if not request.start_on:
        return None if request.start_on is None else frozenset()
    from airflow_dataops.core.plan.slices import filled_elsewhere

    chosen = _selector_of(manifest, state).select(request.start_on)
    chosen &= filled_elsewhere(manifest.project())
    if not chosen:
        raise ConfigError(
            f"start_on: {request.start_on!r} selects no source and no model of another project; "
            "name what other DAGs fill, such as 'source:shop'"
        )
    return chosen


def _selector_of(manifest: StoredManifest, state: StoredState | None) -> NodeSelector:
    """Return what selects from a project: its indexes serve all task groups of a DAG file."""
    from airflow_dataops.core.selection import NodeSelector

    key = (manifest.key, state.key if state else "")
    selector = _selectors.get(key)
    if selector is None or selector.project is not manifest.project():
        inputs = state.inputs(manifest) if state else None
        selector = NodeSelector(manifest.project(), inputs)
        _selectors.clear()
        _selectors[key] = selector
    return selector


def _key(manifest: StoredManifest, state: StoredState | None, *request: Struct) -> str:
    told = b"".join(map(_encode, request)) + (state.key.encode() if state else b"")
    return hashlib.sha256(_FORMAT + manifest.key.encode() + told).hexdigest()[:32]


def _part(key: str, place: int) -> str:
    return f"{key}-{place}"
