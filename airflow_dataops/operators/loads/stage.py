"""Stage, check and sweep: what is around a load whose rows are checked before they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from airflow.sdk.exceptions import AirflowSkipException

from airflow_dataops.core.arguments import count, instance, several, text
from airflow_dataops.core.engines.names import parse_relation, written
from airflow_dataops.core.loads.beside import stage_beside, sweep_beside
from airflow_dataops.core.loads.checks import LoadEmptyError
from airflow_dataops.core.loads.gates import Gate, check_gates
from airflow_dataops.core.model import Severity
from airflow_dataops.core.quality.contract import Contract
from airflow_dataops.core.quality.holding import hold_to_contract
from airflow_dataops.operators.loads.source import RowsArguments, SourceArguments
from airflow_dataops.operators.node import plain
from airflow_dataops.operators.session import SessionOperator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from airflow.sdk import Context

    from airflow_dataops.operators.arguments import SessionArguments


class StageOperator(SourceArguments, SessionOperator):
    """Keeps rows in a table beside their target, where they can be checked.

    Args:
        target: the table that they are for.
        conn_id: its warehouse.
        contract: what the rows must keep; what becomes of those that do not, it says.
        sql, table, source, parameters: the rows, as for `LoadOperator`.

    Returns:
        `{"table", "rows"}`: the name of the table, as SQL, and the number of rows.
    """

    template_fields: Sequence[str] = (
        *("target", "conn_id"),
        *SourceArguments.template_fields,
        "script",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "script": "sql"}
    overwrite_rtif_after_execution = True
    ui_color = "#eef7d8"

    def __init__(
        self,
        *,
        target: str,
        conn_id: str,
        contract: Contract | None = None,
        **arguments: Unpack[RowsArguments],
    ) -> None:
        super().__init__(**arguments)
        self.contract = None if contract is None else instance(Contract, contract, "contract")
        self.target = text(target, "target")
        self.conn_id = text(conn_id, "conn_id")
        self.script: str | None = None

    def execute(self, context: Context) -> Any:
        """Stage the rows."""
        with self._recorded() as runner:
            target = parse_relation(self.target, runner.dialect)
            source = self._source(runner.dialect)
            run, try_number = run_of(context, self.task_id), context["ti"].try_number
            try:
                table, rows = stage_beside(target, run, try_number, source, runner)
            except LoadEmptyError as error:
                raise AirflowSkipException(f"{target}: there is nothing to load") from error
            if self.contract is not None:
                rows = hold_to_contract(self.contract, table, runner)
        self.log.info("%s: %d rows in %s", target, rows, table)
        return {"table": written(table), "rows": rows}


class GateOperator(SessionOperator):
    """Checks that every row of a table meets conditions, in one pass.

    Args:
        table: the table.
        conn_id: its warehouse.
        gates: the conditions; see `Gate`.
        min_rows: fewer rows fail as well.

    Returns:
        `{"rows", "results": [{"gate", "wrong"}]}`.

    Raises:
        RunError: a gate was not passed; Airflow does not retry it.
    """

    template_fields: Sequence[str] = ("table", "conn_id", "script")
    template_fields_renderers: ClassVar[dict[str, str]] = {"script": "sql"}
    overwrite_rtif_after_execution = True
    ui_color = "#fff3c4"

    def __init__(
        self,
        *,
        table: str,
        conn_id: str,
        gates: Gate | Sequence[Gate] = (),
        min_rows: int = 0,
        **arguments: Unpack[SessionArguments],
    ) -> None:
        super().__init__(**arguments)
        self.table = text(table, "table")
        self.conn_id = text(conn_id, "conn_id")
        self.gates = several(Gate, gates, "gates")
        self.min_rows = count(min_rows, "min_rows")
        self.script: str | None = None

    def execute(self, context: Context) -> Any:
        """Check the rows."""
        with self._recorded() as runner:
            table = parse_relation(self.table, runner.dialect)
            found = check_gates(table, self.gates, runner, min_rows=self.min_rows)
        for failure in found.failures(Severity.WARN):
            self.log.warning("%s: %s", table, failure)
        self.log.info("%s: %d rows passed %d gates", table, found.rows, len(self.gates))
        return plain(found)


class SweepOperator(SessionOperator):
    """Drops the tables that the tries of a `StageOperator` left.

    Args:
        target: the table that was staged for.
        conn_id: its warehouse.
        staged_by: the id of the task that staged.
    """

    template_fields: Sequence[str] = ("target", "conn_id", "script")
    template_fields_renderers: ClassVar[dict[str, str]] = {"script": "sql"}
    overwrite_rtif_after_execution = True

    def __init__(
        self,
        *,
        target: str,
        conn_id: str,
        staged_by: str,
        **arguments: Unpack[SessionArguments],
    ) -> None:
        super().__init__(**arguments)
        self.target = text(target, "target")
        self.conn_id = text(conn_id, "conn_id")
        self.staged_by = text(staged_by, "staged_by")
        self.script: str | None = None

    def execute(self, context: Context) -> Any:
        """Drop the tables."""
        with self._recorded() as runner:
            target = parse_relation(self.target, runner.dialect)
            swept = sweep_beside(target, run_of(context, self.staged_by), runner)
        self.log.info("%s: dropped %s", target, ", ".join(swept) or "nothing")


def run_of(context: Context, task_id: str) -> str:
    """Tell the staging of a run from all others of its target."""
    ti = context["ti"]
    return f"{ti.dag_id}.{task_id}[{ti.map_index}] in {ti.run_id}"
