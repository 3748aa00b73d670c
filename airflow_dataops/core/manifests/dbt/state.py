"""A manifest's bytes -> what `state:` selectors compare, hashed part by part.

Which fields make up a part follows the `same_*` methods of dbt-core 1.11's nodes
(`dbt/contracts/graph/nodes.py`), with dbt's default behaviour flags. It is read apart from
the project, so that nobody pays for it who does not compare states.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from airflow_dataops.core.manifests.dbt import syntax, wire
from airflow_dataops.core.manifests.dbt.decode import decode
from airflow_dataops.core.manifests.dbt.version import check_version
from airflow_dataops.core.model import MacroState, NodeState, ProjectState
from airflow_dataops.errors import ManifestError, Problem

# What dbt leaves out of the comparison of configurations: the first three make the relation.
_NOT_COMPARED = frozenset({"alias", "schema", "database", "tags", "group"})
# What it compares of a test's configuration, and nothing else.
_OF_TESTS = frozenset(
    {
        "severity",
        "where",
        "limit",
        "fail_calc",
        "warn_if",
        "error_if",
        "store_failures",
        "store_failures_as",
    }
)
_NAMES = ("database", "schema", "alias")


class _Column(wire.Wire, frozen=True):
    description: str | None = None


class _Contract(wire.Wire, frozen=True):
    enforced: bool = False
    checksum: str | None = None


class _Entry(wire.Wire, frozen=True):
    """An entry of `nodes`, `sources`, `exposures` or `unit_tests`, as far as it is compared."""

    resource_type: str = ""
    fqn: list[str] = []
    depends_on: wire.DependsOn = wire.DependsOn()
    unrendered_config: dict[str, Any] = {}
    description: str | None = None
    raw_code: str | None = None
    checksum: Any = None
    columns: dict[str, _Column] = {}
    contract: _Contract = _Contract()
    access: str | None = None
    latest_version: str | int | float | None = None
    deprecation_date: str | None = None
    database: str | None = None
    schema: str | None = None
    identifier: str | None = None
    quoting: Any = None
    freshness: Any = None
    loaded_at_field: str | None = None
    external: Any = None
    type: str | None = None
    owner: Any = None
    maturity: str | None = None
    url: str | None = None
    label: str | None = None


class _File(wire.Wire, frozen=True):
    metadata: wire.Metadata = wire.Metadata()
    nodes: dict[str, _Entry] = {}
    sources: dict[str, _Entry] = {}
    exposures: dict[str, _Entry] = {}
    unit_tests: dict[str, _Entry] = {}
    macros: dict[str, wire.Macro] = {}


_decode_file = msgspec.json.Decoder(_File).decode


def read_state(data: bytes, *, source: str) -> ProjectState:
    """Read what `state:` selectors compare.

    Args:
        data: content of a dbt `manifest.json`; compiled code is not needed.
        source: the file's name, for messages.

    Raises:
        ManifestError: the bytes are no dbt manifest that can be read.
    """
    file = _decode(data, source)
    if problem := check_version(file.metadata) or _cut_down(file.metadata):
        raise ManifestError(source, [problem])
    states = {id_: _node(entry) for id_, entry in file.nodes.items()}
    states |= {id_: _source(entry) for id_, entry in file.sources.items()}
    states |= {id_: _exposure(entry) for id_, entry in file.exposures.items()}
    states |= {id_: _unit_test(entry) for id_, entry in file.unit_tests.items()}
    macros = {
        id_: MacroState(body=_hash(macro.macro_sql), macros=tuple(macro.depends_on.macros or ()))
        for id_, macro in file.macros.items()
    }
    return ProjectState(project=file.metadata.project_name or "", nodes=states, macros=macros)


def _cut_down(metadata: wire.Metadata) -> Problem | None:
    """Refuse our own manifests: all of their nodes would look unchanged."""
    if metadata.dataops is None:
        return None
    return Problem(
        "this was written by `airflow-dataops compile`, which leaves out what `state:` compares. "
        "Take target/manifest.json, which dbt writes for the same project."
    )


def _decode(data: bytes, source: str) -> _File:
    if problem := syntax.not_text(data):
        raise ManifestError(source, [problem])
    try:
        return _decode_file(data)
    except msgspec.DecodeError as error:
        # What is wrong for every reader is said better there.
        decode(data, source)
        raise ManifestError(
            source, [Problem(f"{error}. Let dbt write the manifest again.")]
        ) from error


def _node(entry: _Entry) -> NodeState:
    """Hash what dbt calls a parsed node: a model, seed, snapshot or test."""
    configs = entry.unrendered_config
    if entry.resource_type == "test":
        compared = {key: value for key, value in configs.items() if key in _OF_TESTS}
    else:
        compared = {key: value for key, value in configs.items() if key not in _NOT_COMPARED}
    rest = (entry.latest_version, entry.access, entry.deprecation_date)
    return NodeState(
        fqn=_hash(entry.fqn),
        body=_hash(entry.checksum if entry.resource_type == "seed" else entry.raw_code),
        configs=_hash(compared),
        relation=_hash([configs.get(name) for name in _NAMES]),
        description=_hash(entry.description or ""),
        columns=_hash({name: column.description for name, column in entry.columns.items()}),
        contract=entry.contract.checksum or "enforced" if entry.contract.enforced else "",
        rest=_hash(rest) if entry.resource_type == "model" else None,
        macros=tuple(entry.depends_on.macros or ()),
    )


def _source(entry: _Entry) -> NodeState:
    return NodeState(
        fqn=_hash(entry.fqn),
        configs=_hash(entry.unrendered_config),
        relation=_hash((entry.database, entry.schema, entry.identifier)),
        rest=_hash((entry.quoting, entry.freshness, entry.loaded_at_field, entry.external)),
    )


def _exposure(entry: _Entry) -> NodeState:
    rest = (
        entry.type,
        entry.owner,
        entry.maturity,
        entry.url,
        entry.description,
        entry.label,
        sorted(entry.depends_on.nodes or ()),
    )
    return NodeState(
        fqn=_hash(entry.fqn),
        configs=_hash(entry.unrendered_config),
        rest=_hash(rest),
        macros=tuple(entry.depends_on.macros or ()),
    )


def _unit_test(entry: _Entry) -> NodeState:
    return NodeState(rest=_hash(entry.checksum), macros=tuple(entry.depends_on.macros or ()))


def _hash(value: Any) -> str:
    """Hash a JSON value; the order of keys does not count."""
    content = msgspec.json.encode(value, order="sorted")
    return hashlib.blake2b(content, digest_size=8).hexdigest()
