"""Plans, made once per manifest, selection and options, and kept in the host's cache.

The warm path of a parse reads the plan and nothing else: no manifest, no selection. A worker
reads the one task it runs.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.adapters import cache
from airflow_dataops.adapters.collection import no_collection
from airflow_dataops.core.model import Struct
from airflow_dataops.core.plan import Plan, PlannedTask, PlanOptions
from airflow_dataops.errors import ManifestError

if TYPE_CHECKING:
    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.adapters.pack import Pack
    from airflow_dataops.core.model import Project
    from airflow_dataops.core.selection import NodeSelector

log = logging.getLogger(__name__)

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode_plan = msgspec.msgpack.Decoder(Plan).decode
_decode_tasks = msgspec.msgpack.Decoder(dict[str, PlannedTask]).decode
_decode_task = msgspec.msgpack.Decoder(PlannedTask).decode

_selectors: list[NodeSelector] = []
"""That of the project which was selected from last."""


class PlanRequest(Struct, frozen=True):
    """Which part of a manifest to plan, and how.

    `select` and `exclude` are in dbt's selection language; a sequence is a union.
    """

    select: str | tuple[str, ...] | None = None
    exclude: str | tuple[str, ...] | None = None
    options: PlanOptions = PlanOptions()


class StoredPlan:
    """A plan, of which only what is asked for is decoded.

    Attributes:
        head: the plan without its tasks.
    """

    def __init__(self, head: Plan, source: Pack | Plan) -> None:
        self.head = head
        self._source = source

    def tasks(self) -> dict[str, PlannedTask]:
        """Return all tasks by id, sorted."""
        source = self._source
        return source.tasks if isinstance(source, Plan) else _decode_tasks(source.entries)

    def task(self, id_: str) -> PlannedTask | None:
        """Return one task, None where there is none of that id."""
        source = self._source
        if isinstance(source, Plan):
            return source.tasks.get(id_)
        record = source.get(id_)
        return None if record is None else _decode_task(record)


def open_plan(manifest: StoredManifest, request: PlanRequest) -> StoredPlan:
    """Return the plan of a manifest, from the cache or made now.

    Raises:
        ManifestError: the manifest is wrong, or has nodes that cannot run.
        ConfigError: the selection is wrong.
    """
    name = f"{_key(manifest, request)}.plan"
    if (pack := cache.load(name)) is not None:
        try:
            return StoredPlan(_decode_plan(pack.header), pack)
        except msgspec.MsgspecError:
            cache.drop(name)
    with no_collection():
        plan = _made(manifest, request)
    head = msgspec.structs.replace(plan, tasks={})
    entries = [(id_, _encode(task)) for id_, task in plan.tasks.items()]
    cache.store(name, _encode(head), entries)
    return StoredPlan(head, plan)


def _made(manifest: StoredManifest, request: PlanRequest) -> Plan:
    # Dear to import, and needed only where the plan is not in the cache.
    from airflow_dataops.core.plan import make_plan

    project = manifest.project()
    asked = request.select is not None or request.exclude is not None
    selected = None
    if asked or project.selectors:
        selected = _selector_of(project).select(request.select, request.exclude)
    try:
        plan = make_plan(project, request.options, selected)
    except ManifestError as error:
        raise ManifestError(manifest.source, error.problems) from None
    for warning in plan.warnings:
        log.warning("%s: %s", manifest.source, warning)
    return plan


def _selector_of(project: Project) -> NodeSelector:
    """Return what selects from a project: its indexes serve all task groups of a DAG file."""
    from airflow_dataops.core.selection import NodeSelector

    for selector in tuple(_selectors):
        if selector.project is project:
            return selector
    _selectors[:] = [NodeSelector(project)]
    return _selectors[0]


def _key(manifest: StoredManifest, request: PlanRequest) -> str:
    return hashlib.sha256(manifest.key.encode() + _encode(request)).hexdigest()[:32]
