"""Batches that drift from their contract, against a model in plain Python."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_dataops import (
    ConfigError,
    Contract,
    ContractColumn,
    Evolution,
    RunError,
    contract_of_dbt,
    read_contract,
)
from airflow_dataops.core.model import Relation
from airflow_dataops.core.quality.checks import AcceptedRange, AcceptedValues, as_checks
from airflow_dataops.core.quality.holding import hold_to_contract
from airflow_dataops.core.sql.tables import read_table
from tests.duckdb_runner import open_duckdb
from tests.postgres import open_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.core.ports import SqlRunner

OPENERS = {"duckdb": open_duckdb, "postgres": open_postgres}
VALUES = {"integer": 1, "double precision": 1.5, "varchar": "x", "date": date(2026, 1, 5)}
FITS = {("integer", "double precision")} | {(each, each) for each in VALUES}
"""The widenings that lose nothing, and what is the same."""
BATCH = Relation(identifier="batch", schema="contracts")


@pytest.fixture(scope="module", params=sorted(OPENERS))
def runner(request: pytest.FixtureRequest) -> Iterator[SqlRunner]:
    with OPENERS[request.param]() as opened:
        opened.execute("drop schema if exists contracts cascade")
        opened.execute("create schema contracts")
        yield opened
        opened.execute("drop schema contracts cascade")


def policies(*without: str) -> st.SearchStrategy[str]:
    return st.sampled_from([str(each) for each in Evolution if each not in without])


@st.composite
def drifts(draw: st.DrawFn) -> tuple[Contract, dict[str, str], list[dict[str, Any]]]:
    """A contract of a, b and c; a batch of some of a to d, in any order and of any types."""
    types = st.sampled_from(sorted(VALUES))
    null = st.none() | policies("discard_value")
    columns = [
        ContractColumn(
            name=name, type=draw(types), required=draw(st.booleans()),
            on_type=draw(st.none() | policies()), on_null=draw(null),
        )
        for name in "abc"
    ]  # fmt: skip
    contract = Contract(
        name="shop", columns=columns, primary_key=draw(st.sampled_from([(), ("a",)])),
        on_column=draw(policies()), on_type=draw(policies()),
        on_null=draw(policies("discard_value")),
    )  # fmt: skip
    names = draw(st.permutations("abcd"))[: draw(st.integers(1, 4))]
    own = {each.name: st.just(each.type) for each in columns}
    batch = {name: draw(types | own.get(name, types)) for name in names}
    rows = [
        {name: draw(st.sampled_from([None, VALUES[type_]])) for name, type_ in batch.items()}
        for _ in range(draw(st.integers(1, 4)))
    ]
    return contract, batch, rows


def model(
    contract: Contract, batch: dict[str, str], rows: list[dict[str, Any]]
) -> list[dict[str, Any]] | None:
    """What is left of a batch; None where it is refused."""
    left: list[dict[str, Any]] | None = [dict(row) for row in rows]
    for column in contract.columns:
        left = None if left is None else agreed(contract, column, batch.get(column.name), left)
    return None if left is None else unagreed(contract, batch, left)


def agreed(
    contract: Contract, column: ContractColumn, type_: str | None, rows: list[dict[str, Any]]
) -> list[dict[str, Any]] | None:
    name, on_null = column.name, column.on_null or contract.on_null
    must = (column.required or name in contract.primary_key) and on_null != "evolve"
    if type_ is None:
        return None if must else [row | {name: None} for row in rows]
    if (type_, column.type) not in FITS:
        on_type = column.on_type or contract.on_type
        if on_type == "freeze" or (must and on_type != "evolve"):
            return None
        if on_type == "discard_row":
            rows = [row for row in rows if row[name] is None]
        if on_type == "discard_value":
            rows = [row | {name: None} for row in rows]
    if must and on_null == "discard_row":
        rows = [row for row in rows if row[name] is not None]
    return rows


def unagreed(
    contract: Contract, batch: dict[str, str], rows: list[dict[str, Any]]
) -> list[dict[str, Any]] | None:
    if "d" not in batch or contract.on_column == "evolve":
        return rows
    if contract.on_column == "freeze":
        return None
    if contract.on_column == "discard_row":
        rows = [row for row in rows if row["d"] is None]
    return [{k: v for k, v in row.items() if k != "d"} for row in rows]


def canonical(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)


def hold(runner: SqlRunner, drift: Any) -> None:
    contract, batch, rows = drift
    runner.execute("drop table if exists contracts.batch")
    listed = ", ".join(f"{name} {type_}" for name, type_ in batch.items())
    runner.execute(f"create table contracts.batch ({listed})")
    for row in rows:
        marks = ", ".join(runner.placeholder for _ in row)
        runner.execute(f"insert into contracts.batch values ({marks})", list(row.values()))
    expected = model(contract, batch, rows)
    if expected is None:
        with pytest.raises(RunError, match="nothing was written"):
            hold_to_contract(contract, BATCH, runner)
        assert read_table(runner, BATCH) is None
        return
    assert hold_to_contract(contract, BATCH, runner) == len(expected)
    table = read_table(runner, BATCH)
    assert table is not None
    found = runner.fetch("select * from contracts.batch")
    assert canonical([dict(zip(table.names, row, strict=True)) for row in found]) == canonical(
        expected
    )


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(drift=drifts())
@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
def test_a_drifted_batch_is_what_the_model_says(runner: SqlRunner, drift: Any) -> None:
    """Contracts, batches and policies at random; nothing is left where one says freeze."""
    hold(runner, drift)


@pytest.mark.slow
@given(drift=drifts())
@settings(max_examples=500, deadline=None, suppress_health_check=QUIET)
def test_500_drifted_batches_are_what_the_model_says(runner: SqlRunner, drift: Any) -> None:
    hold(runner, drift)


STANDARD = """
apiVersion: v3.0.2
kind: DataContract
id: 1
schema:
  - name: orders
    physicalName: fct_orders
    properties:
      - {name: id, physicalType: integer, required: true, primaryKey: true}
      - {name: amount, physicalType: double, logicalType: number,
         logicalTypeOptions: {minimum: 0, maximum: 100}}
      - name: status
        physicalType: varchar
        quality: [{rule: validValues, validValues: [open, paid]}]
      - {name: at, physicalType: timestamp}
slaProperties:
  - {property: latency, value: 2, unit: d, element: orders.at}
"""
OURS = """
name: fct_orders
on_column: evolve
primary_key: [id]
fresh_by: at
max_age_hours: 48
columns:
  - {name: id, type: integer, required: true}
  - {name: amount, type: double, min: 0, max: 100}
  - {name: status, type: varchar, accepted: [open, paid]}
  - {name: at, type: timestamp}
"""


def test_the_standard_and_ours_say_the_same(tmp_path: Path) -> None:
    for name, text in (("standard", STANDARD), ("ours", OURS)):
        (tmp_path / name).write_text(text)
    standard = read_contract(tmp_path / "standard", on_column="evolve")
    assert standard == read_contract(tmp_path / "ours")
    checks = as_checks(list(standard.checks()))
    assert [each.title for each in checks] == [
        *("null_rate:id", "accepted_range:amount", "accepted_values:status"),
        *("duplicate_rate:id", "max_age:at"),
    ]
    assert isinstance(checks[1], AcceptedRange)
    assert isinstance(checks[2], AcceptedValues)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: t", "columns"),
        ("name: t\ncolumns: [{name: a, typ: int}]", "'typ'"),
        ("name: t\ncolums: []\ncolumns: []", "'colums'"),
        ("name: t\non_column: thaw\ncolumns: []", "on_column"),
        ("apiVersion: v2.2\nschema: []", "v3"),
        ("apiVersion: v3.0.0\nschema: [{name: a}, {name: b}]", "a, b"),
        ("- 1", "mapping"),
        ("{", "Contract"),
    ],
)
def test_what_is_no_contract_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=problem):
        read_contract(tmp_path / "c.yaml")


def test_a_contract_of_dbt(tmp_path: Path) -> None:
    column = {"name": "id", "data_type": "int", "constraints": [{"type": "primary_key"}]}
    node = {"config": {"contract": {"enforced": True}}, "columns": {"id": column}}
    (tmp_path / "manifest.json").write_text(json.dumps({"nodes": {"model.s.o": node}}))
    found = contract_of_dbt(tmp_path / "manifest.json", "model.s.o", on_column="evolve")
    expected = ContractColumn(name="id", type="int")
    assert (found.columns, found.primary_key) == ([expected], ("id",))
    with pytest.raises(ConfigError, match="nothing"):
        contract_of_dbt(tmp_path / "manifest.json", "model.s.nothing")


def test_a_type_is_read_and_not_pasted(runner: SqlRunner) -> None:
    runner.execute("drop table if exists contracts.batch")
    runner.execute("create table contracts.batch (a integer)")
    hostile = ContractColumn(name="b", type="int); drop table contracts.batch; --")
    contract = Contract(name="c", columns=[ContractColumn(name="a"), hostile])
    with pytest.raises(ConfigError, match="no type"):
        hold_to_contract(contract, BATCH, runner)
    assert read_table(runner, BATCH) is not None
