"""What the readers of single nodes need to know of the whole manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.settings import Configurations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_dataops.core.manifests.dbt.macros import Macros
    from airflow_dataops.core.manifests.dbt.settings import Settings
    from airflow_dataops.core.manifests.dbt.wire import Node
    from airflow_dataops.core.manifests.report import Report


@dataclass(frozen=True)
class Context:
    """One manifest, while its nodes are read.

    Attributes:
        root: the project's own package.
        adapter: the dbt adapter type, None if unknown.
        ours: whether `airflow-dataops compile` wrote the manifest.
        touched: what the code of nodes, with that of ephemeral models in it, touches while dbt
            renders it; by id.
        warn_error: whether a test that warns fails.
        plugin_readers: ids of nodes that read a source which a dbt-duckdb plugin loads.
    """

    root: str
    adapter: str | None
    macros: Macros
    report: Report
    ours: bool = False
    warn_error: bool = False
    plugin_readers: frozenset[str] = frozenset()
    touched: Mapping[str, Iterable[str]] = field(default_factory=dict)
    configurations: Configurations = field(default_factory=Configurations)


@dataclass(slots=True)
class Entry:
    """One entry of the manifest with what belongs to it."""

    id: str
    node: Node
    settings: Settings
    context: Context

    def called_macros(self) -> list[str]:
        """Return ids of the macros that the node calls itself."""
        return self.node.depends_on.macros or []
