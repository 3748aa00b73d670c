"""Holds a model's query to its enforced contract, before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.model import ModelSpec
from airflow_dataops.core.sql import contracts
from airflow_dataops.core.sql.tables import read_table
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_dataops.core.model import ModelContract, Node, Relation
    from airflow_dataops.core.ports import SqlRunner

Columns = dict[str, str]
"""Types by name, as dbt's adapter names them."""

_TITLES = ("column_name", "definition_type", "contract_type", "mismatch_reason")


def contract_of(node: Node) -> ModelContract | None:
    """Return the contract that a node's table is held to."""
    return node.spec.contract if isinstance(node.spec, ModelSpec) else None


def hold_to_contract(node: Node, relation: Relation, sql: str, runner: SqlRunner) -> None:
    """Compare a query's columns with those of the model's contract, if it has one.

    Raises:
        RunError: their names or types differ; with dbt's table of the differences.
    """
    contract = contract_of(node)
    if contract is None:
        return
    given = _columns(contracts.empty(sql), relation, runner)
    promised = _columns(contracts.promised(contract, runner.dialect), relation, runner)
    differences = _differences(given, promised)
    if differences:
        raise RunError(
            f"{node.id}: this model has an enforced contract that failed. The names, data types "
            "and number of columns in the contract and in the model's query must be the same:\n\n"
            f"{_table(differences)}\n\nMend the columns in YAML, or cast them in the query."
        )


def _columns(query: str, relation: Relation, runner: SqlRunner) -> Columns:
    known = get_engine(runner.dialect).models.contracts
    if known.describe is not None:
        rows = runner.fetch(known.describe.format(query))
        return {row[0]: known.seen(row[1]) for row in rows}
    from airflow_dataops.core.execution.staged import staged

    with staged(relation, query, runner, what="contract") as (kept, _):
        table = read_table(runner, kept.relation)
    found = () if table is None else table.columns
    return {column.name: known.seen(column.unlimited or column.type) for column in found}


def _differences(given: Columns, promised: Columns) -> list[tuple[str, str, str, str]]:
    found = []
    for name, type_ in given.items():
        if name not in promised:
            found.append((name, type_, "", "missing in contract"))
        elif promised[name] != type_:
            found.append((name, type_, promised[name], "data type mismatch"))
    missing = ((n, "", t, "missing in definition") for n, t in promised.items() if n not in given)
    return sorted((*found, *missing))


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(_TITLES, *rows, strict=True)]

    def line(cells: Iterable[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    return "\n".join([line(_TITLES), line("-" * width for width in widths), *map(line, rows)])
