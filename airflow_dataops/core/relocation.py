"""One manifest in several environments: other names for databases, schemas and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.assets import canonical, stored
from airflow_dataops.core.model import ModelSpec, NodeKind, Relation, SnapshotSpec, Struct, TestSpec
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.model import Node, Project

_PARTS = {"database": "database", "schema": "schema", "alias": "identifier"}
_TABLES = frozenset({NodeKind.MODEL, NodeKind.SEED, NodeKind.SNAPSHOT, NodeKind.SOURCE})
_TIED = (ModelSpec, SnapshotSpec, TestSpec)


class Relocation(Struct, frozen=True):
    """What names become, as the warehouse stores them; keys as `canonical` has them.

    Attributes:
        database, schema, alias: the new name by the one that the manifest has.
        dialect: the engine, by whose rules names are compared.
    """

    database: dict[str, str] = {}
    schema: dict[str, str] = {}
    alias: dict[str, str] = {}
    dialect: str | None = None

    def relation(self, relation: Relation) -> Relation:
        """Return where a relation is."""
        return Relation(
            identifier=self.renamed("alias", relation.identifier),
            schema=relation.schema and self.renamed("schema", relation.schema),
            database=relation.database and self.renamed("database", relation.database),
        )

    def renamed(self, part: str, name: str) -> str:
        """Return the name of a database, schema or alias."""
        names: dict[str, str] = getattr(self, part)
        return names.get(canonical(name, self.dialect), name) if names else name

    def node(self, node: Node) -> Node:
        """Return a node where it is, without its SQL; that is `core.sql.relocated`'s."""
        return (
            node if node.relation is None else replace(node, relation=self.relation(node.relation))
        )

    def project(self, project: Project) -> Project:
        """Return a project where it is. What is tied to the environment of the compile goes to dbt.

        Raises:
            ConfigError: a name is of no relation, or two tables would become one.
        """
        self._check([node.relation for node in project.nodes.values() if node.relation])
        nodes = {id_: _untied(self.node(node)) for id_, node in project.nodes.items()}
        self._refuse_meetings(project.nodes, nodes)
        hooks = tuple(
            replace(hook, unsupported=(*hook.unsupported, *hook.tied)) for hook in project.run_hooks
        )
        return replace(project, nodes=nodes, run_hooks=hooks)

    def _refuse_meetings(self, before: Mapping[str, Node], after: Mapping[str, Node]) -> None:
        """Refuse that a table comes to be where another one is that the project has."""
        by_place: dict[tuple[str, ...], str] = {}
        for id_, node in after.items():
            spec = node.spec
            is_none = isinstance(spec, ModelSpec) and spec.materialized == "ephemeral"
            if node.relation is None or node.kind not in _TABLES or is_none:
                continue
            place = self._place(node.relation)
            other = by_place.setdefault(place, id_)
            if self._place(before[other].relation) != self._place(before[id_].relation):
                raise ConfigError(
                    f"relations=: {other} and {id_} would both be {node.relation}, and one would "
                    "write over the other; give them different names."
                )

    def _place(self, relation: Relation | None) -> tuple[str, ...]:
        parts = (
            () if relation is None else (relation.database, relation.schema, relation.identifier)
        )
        return tuple(canonical(part or "", self.dialect) for part in parts)

    def _check(self, relations: Iterable[Relation]) -> None:
        for part, attribute in _PARTS.items():
            names: dict[str, str] = getattr(self, part)
            there = {getattr(relation, attribute) or "" for relation in relations}
            known = {canonical(name, self.dialect) for name in there}
            if missing := sorted(names.keys() - known):
                some = ", ".join(sorted(filter(None, there))[:10])
                raise ConfigError(
                    f"relations[{part!r}]: the manifest has no {part} {missing[0]!r}; there are "
                    f"{some}."
                )


def read_relocation(value: object, dialect: str | None) -> Relocation | None:
    """Read `relations=` as a caller writes it; None for none.

    A name is what the engine makes of it without quotes; one in double quotes is as it is.

    Args:
        value: such as `{"database": {"dev": "prod"}, "schema": {"dbt_me": "analytics"}}`.
        dialect: the engine.

    Raises:
        ConfigError: it has another form.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value.keys() <= _PARTS.keys():
        raise ConfigError(
            f"relations={value!r}: write names by {', '.join(_PARTS)}, such as "
            "{'schema': {'dbt_me': 'analytics'}}."
        )
    parts: dict[str, dict[str, str]] = {}
    for part, names in value.items():
        if not isinstance(names, Mapping) or not all(
            isinstance(name, str) and name.strip() for pair in names.items() for name in pair
        ):
            raise ConfigError(
                f"relations[{part!r}]={names!r}: write a mapping of names, such as "
                "{'dbt_me': 'analytics'}."
            )
        parts[part] = {
            canonical(_stored(old, dialect), dialect): _stored(new, dialect)
            for old, new in names.items()
        }
    found = Relocation(**parts, dialect=dialect)
    return found if any(parts.values()) else None


def _stored(name: str, dialect: str | None) -> str:
    if len(name) > 2 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return stored(name, dialect)


def _untied(node: Node) -> Node:
    spec = node.spec
    if not isinstance(spec, _TIED) or not spec.tied:
        return node
    return replace(node, spec=replace(spec, unsupported=(*spec.unsupported, *spec.tied), tied=()))
