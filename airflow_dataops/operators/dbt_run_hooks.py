"""Hooks around a run that only dbt can render: dbt runs them, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosmos.operators.local import DbtRunLocalOperator

from airflow_dataops.adapters.dbt_run_hooks import STAND_IN, VARIABLE, set_run_hooks
from airflow_dataops.core.model import NodeKind, RunMoment
from airflow_dataops.operators.dbt import FULL_REFRESH, InTurn, cosmos_operator, final, rendered
from airflow_dataops.operators.dbt_checks import check_results, selector_of
from airflow_dataops.operators.run_outcome import built_in, to_build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import BaseOperator, Context

    from airflow_dataops.core.model import Node
    from airflow_dataops.core.plan.structs import Builder
    from airflow_dataops.planning.dbt_config import DbtConfig

_LISTED = frozenset({NodeKind.MODEL, NodeKind.SEED, NodeKind.SNAPSHOT})


class DbtHooksOperator(InTurn, DbtRunLocalOperator):  # type: ignore[misc]
    """Runs `on-run-start` or `on-run-end` of a project and its packages, once.

    Attributes:
        around: the tasks of the run, and what each of them builds.
    """

    template_fields = rendered(DbtRunLocalOperator)

    moment: RunMoment
    around: tuple[Builder, ...] = ()
    _schemas: list[tuple[str | None, str]]
    _witness: Node | None = None

    def execute(self, context: Context, **arguments: Any) -> Any:
        """Run the hooks."""
        request = self._request(context)
        if request.dry_run:
            return self._show(context, self.nodes)
        nodes = to_build(self.around, self._open(), request, self._selected(request, context))
        if self.moment is RunMoment.END:
            nodes = built_in(context, self.around, nodes)
        places = {(n.relation.database, n.relation.schema) for n in nodes if n.relation}
        self._schemas = sorted((d, s) for d, s in places if s)
        self._witness = next((node for node in nodes if node.kind in _LISTED), None)
        return self._take_turn(context, **arguments)

    def run_subprocess(
        self, command: list[str], env: dict[str, str], cwd: str, **arguments: Any
    ) -> Any:
        """Run dbt in a project that has nothing but the hooks; then see whether it ran them."""
        set_run_hooks(Path(cwd), env, self.moment)
        env = env | {VARIABLE: json.dumps(self._schemas)}
        if self._witness is not None:
            select = selector_of(self._witness)
            self._check_place(command, env, cwd, [self._witness], select, **arguments)
        result = self._call(command, env, cwd, **arguments)
        if result.exit_code == 0:
            with final():
                check_results(Path(cwd) / "target", self.nodes)
        return result


def hooks_operator(
    moment: RunMoment,
    around: Sequence[Builder],
    dbt: DbtConfig,
    conn_id: str,
    arguments: dict[str, Any],
) -> BaseOperator:
    """Return the operator that runs the hooks around a run of one moment; as `dbt_operator`."""
    arguments = FULL_REFRESH | arguments
    operator: Any = cosmos_operator(DbtHooksOperator, STAND_IN, dbt, conn_id, arguments)
    operator.moment, operator.around = moment, tuple(around)
    made: BaseOperator = operator
    return made
