"""One entry of a dbt manifest to one `Node` and its `Code`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from airflow_dataops.core.manifests.dbt import data_tests, models, outside, seeds, snapshots
from airflow_dataops.core.manifests.dbt.context import Entry
from airflow_dataops.core.manifests.dbt.names import read_relation, tidy
from airflow_dataops.core.manifests.fingerprint import fingerprint
from airflow_dataops.core.manifests.orchestration import read_orchestration
from airflow_dataops.core.model import Code, Node, NodeKind, Spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.manifests.dbt import wire
    from airflow_dataops.core.manifests.dbt.context import Context
    from airflow_dataops.core.manifests.dbt.settings import Settings
    from airflow_dataops.core.manifests.report import Place
    from airflow_dataops.core.model import Orchestration, Relation


class _Reader(NamedTuple):
    """How one kind of node is read."""

    spec: Callable[[Entry], Spec]
    code: Callable[[Entry], Code | None]


def _no_code(entry: Entry) -> None:
    return None


_READERS = {
    NodeKind.MODEL: _Reader(models.read_model, models.read_model_code),
    NodeKind.SEED: _Reader(seeds.read_seed, seeds.read_seed_code),
    NodeKind.SNAPSHOT: _Reader(snapshots.read_snapshot, snapshots.read_code),
    NodeKind.TEST: _Reader(data_tests.read_test, snapshots.read_code),
    NodeKind.UNIT_TEST: _Reader(data_tests.read_unit_test, _no_code),
    NodeKind.SOURCE: _Reader(outside.read_source, outside.read_code),
    NodeKind.EXPOSURE: _Reader(outside.read_exposure, _no_code),
}


def read_node(
    id_: str, kind: NodeKind, source: wire.Node, parents: tuple[str, ...], context: Context
) -> tuple[Node, Code | None]:
    """Read one node.

    What its author must mend is added to the context's report, and the node is then not to
    be used.
    """
    declared_in = tidy(source.patch_path.split("://", 1)[-1]) if source.patch_path else None
    path = tidy(source.original_file_path)
    place = context.report.at(id_, declared_in or path)
    settings = context.configurations.settings(source.config or {}, place)
    entry = Entry(id_, source, settings, context)
    reader = _READERS[kind]
    code = reader.code(entry)
    meta = (source.source_meta or {}) | (source.meta or {}) | settings.mapping("meta")
    node = Node(
        id=id_,
        kind=kind,
        name=source.name,
        package=source.package_name,
        spec=reader.spec(entry),
        path=path,
        declared_in=declared_in,
        fqn=tuple(source.fqn),
        relation=_relation(kind, entry),
        parents=parents,
        description=source.description or "",
        tags=_tags(source, settings),
        meta=meta,
        config=settings.values,
        orchestration=_orchestration(meta, entry, place),
        group=source.group or settings.text("group"),
        access=source.access,
        version=_version(source.version) if kind is NodeKind.MODEL else None,
        latest_version=_is_latest(source) if kind is NodeKind.MODEL else None,
    )
    # Nobody has seen the node yet.
    msgspec.structs.force_setattr(node, "fingerprint", fingerprint(node, code, source.checksum))
    return node, code


def _relation(kind: NodeKind, entry: Entry) -> Relation | None:
    """Return a node's table or view; ephemeral models and files read in place have none."""
    adapter = entry.context.adapter
    if kind in (NodeKind.EXPOSURE, NodeKind.UNIT_TEST):
        return None
    if kind is NodeKind.MODEL and entry.settings.raw("materialized") == "ephemeral":
        return None
    if kind is NodeKind.SOURCE and outside.is_external(entry.node, adapter):
        return None
    return read_relation(entry.node, adapter)


def _tags(source: wire.Node, settings: Settings) -> tuple[str, ...]:
    configured = settings.once(_configured_tags)
    if not source.tags:
        return configured
    written = [source.tags] if isinstance(source.tags, str) else source.tags
    return tuple(dict.fromkeys((*written, *configured)))


def _configured_tags(settings: Settings) -> tuple[str, ...]:
    return tuple(dict.fromkeys(settings.texts("tags")))


def _orchestration(meta: dict[str, Any], entry: Entry, place: Place) -> Orchestration:
    return read_orchestration(
        meta,
        place.complain,
        partition_by=entry.settings.raw("partition_by"),
        owner=outside.owner_of(entry.node.owner),
        misspelt=place.note_misspelt,
    )


def _version(version: str | float | None) -> str | None:
    return None if version is None else str(version)


def _is_latest(source: wire.Node) -> bool | None:
    if source.version is None:
        return None
    return _version(source.version) == _version(source.latest_version)
