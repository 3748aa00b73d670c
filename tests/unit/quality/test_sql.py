"""The SQL of a scan on engines that are emulated elsewhere is the one that was reviewed."""

from __future__ import annotations

import pytest
import sqlglot

from airflow_dataops.core.engines.statements import MARK
from airflow_dataops.core.model import Relation
from airflow_dataops.core.quality.check import Scene
from airflow_dataops.core.quality.checks import (
    AcceptedRange,
    AcceptedValues,
    DuplicateRate,
    ForeignKey,
    MaxAge,
    NullRate,
)
from airflow_dataops.core.sql import quality
from airflow_dataops.core.sql.tables import Table, TableColumn
from tests.unit.quality.test_history import NOW

HOSTILE = 'a"; drop table t; --'
SNOWFLAKE = """\
select
  count(*),
  count(*) - count("ID"),
  count(case when ("ID" is null) then 1 end),
  count("ID") - count(distinct "ID"),
  count(case when "KIND" not in (?, ?) then 1 end),
  count(case when ("AMOUNT" < ? or "AMOUNT" in (cast('nan' as double), \
cast('inf' as double), cast('-inf' as double))) then 1 end),
  cast(date_part(epoch_microsecond, max("AT")) / 1000000 as double)
from "T" as checked"""
BIGQUERY = """\
select
  count(*),
  count(*) - count(`ID`),
  count(case when (`ID` is null) then 1 end),
  count(`ID`) - count(distinct `ID`),
  count(case when `KIND` not in (?, ?) then 1 end),
  count(case when (`AMOUNT` < ? or (is_nan(`AMOUNT`) or is_inf(`AMOUNT`))) then 1 end),
  cast(unix_micros(cast(max(`AT`) as timestamp)) / 1000000 as float64)
from `T` as checked"""


def scene(dialect: str) -> Scene:
    types = {"ID": "integer", "KIND": "string", "AMOUNT": "float64", "AT": "timestamp"}
    if dialect == "snowflake":
        types |= {"AMOUNT": "FLOAT", "AT": "TIMESTAMP_NTZ"}
    columns = tuple(TableColumn(name=name, type=type_) for name, type_ in types.items())
    sql = {"snowflake": '"T"', "bigquery": "`T`"}[dialect]
    table = Table(relation=Relation(identifier="T"), sql=sql, columns=columns)
    return Scene(table=table, dialect=dialect, subject="T", now=NOW)


@pytest.mark.parametrize(
    ("dialect", "expected"), [("snowflake", SNOWFLAKE), ("bigquery", BIGQUERY)]
)
def test_the_scan_is_as_reviewed(dialect: str, expected: str) -> None:
    where = scene(dialect)
    nulls = NullRate(column="id")
    found = quality.scan(
        where.table.sql,
        [
            nulls.aggregate(where),
            quality.count_of(nulls.wrong(where)),
            DuplicateRate(columns="id").aggregate(where) or pytest.fail("no aggregate"),
            quality.count_of(AcceptedValues(column="kind", values=["a", "b"]).wrong(where)),
            quality.count_of(AcceptedRange(column="amount", min=0).wrong(where)),
            MaxAge(column="at", hours=1).aggregate(where),
        ],
    )
    assert found.sql.replace(MARK, "?") == expected
    assert found.parameters == ("a", "b", 0)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake", "bigquery"])
def test_names_and_values_stay_data(dialect: str) -> None:
    """Each query parses as one statement, whatever a column or a value is called."""
    name = HOSTILE if dialect != "bigquery" else 'a"; drop table t --'
    column = TableColumn(name=name, type="text")
    table = Table(relation=Relation(identifier="t"), sql="t", columns=(column,))
    where = Scene(table=table, dialect=dialect, subject="t", now=NOW)
    for check in (
        NullRate(column=name),
        DuplicateRate(columns=name),
        AcceptedValues(column=name, values=[HOSTILE]),
        AcceptedRange(column=name, max=HOSTILE),
        ForeignKey(column=name, to="p"),
    ):
        for found in (check.query(where), check.sample(where, 10)):
            if found is not None:
                text = found.sql.replace(MARK, "?")
                assert len(sqlglot.parse(text, dialect=dialect)) == 1
                assert "drop table t" not in sqlglot.transpile(text, dialect, identify=False)[
                    0
                ].replace(name, "").replace(name.replace('"', '""'), "")
