"""Where the nodes of a plan run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_dataops.core.model import Struct
from airflow_dataops.core.relocation import Relocation
from airflow_dataops.planning.dbt_config import DbtConfig
from airflow_dataops.planning.sources import ManifestSource


class Deferral(Struct, frozen=True):
    """How references lead to what an earlier run built.

    Attributes:
        manifest: path of the earlier manifest on this host.
        favor_state: whether nodes that were not selected are read from there though they are
            here too.
        unselected: their ids, as far as the DAG's own selection goes.
    """

    manifest: str
    favor_state: bool = False
    unselected: frozenset[str] = frozenset()

    def leads_away(self, id_: str, selected: frozenset[str] | None) -> bool:
        """Tell whether a node is read from the earlier state in any case.

        Args:
            selected: what the run was narrowed to; None for all of the DAG.
        """
        is_out = id_ in self.unselected or (selected is not None and id_ not in selected)
        return self.favor_state and is_out


class Warehouse(Struct, frozen=True):
    """Where the nodes of a manifest run.

    Attributes:
        manifest: absolute path of the manifest.
        conn_id: the Airflow connection.
        dialect: its engine, as dbt calls it; None if unknown.
        dbt: how to call dbt, where some nodes need it.
        threads: sessions of a fused task at most; None for what suits the warehouse.
        state: the folder with what an earlier run left; None where nobody named one.
        vars: dbt's vars of each run, as templates.
        compiled_vars: those that the manifest was compiled with, which dbt gets as well.
        runtime_vars: the vars that a run may set; None for any.
        relations: where tables are in this environment, if elsewhere than in the manifest.
        deferral: where references lead that are deferred; None where they are not.
    """

    manifest: str
    conn_id: str
    dialect: str | None = None
    dbt: DbtConfig | None = None
    threads: int | None = None
    state: Path | ManifestSource | None = None
    vars: dict[str, Any] = {}
    compiled_vars: dict[str, Any] = {}
    runtime_vars: tuple[str, ...] | None = None
    relations: Relocation | None = None
    deferral: Deferral | None = None
