"""Publications as one script; the files are what docs/loads/deferrable.md shows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql import control, partitions
from airflow_dataops.core.sql.control import Leased
from airflow_dataops.core.sql.scripts import embedded, has_scripts, publication_script
from airflow_dataops.core.sql.tables import TableColumn
from airflow_dataops.errors import ConfigError
from tests.contract.emitted import EXPECTED


@pytest.mark.parametrize("dialect", ["bigquery", "snowflake"])
def test_a_days_load_is_the_reviewed_script(dialect: str) -> None:
    lease = Leased(
        table=Relation(identifier="dataops_leases__orders", schema="sales"),
        target="sales.orders",
        partition='{"day":"2026-01-31"}',
        engine=get_engine(dialect),
    )
    day = partitions.condition(
        {"day": date(2026, 1, 31)}, None, {"day": TableColumn(name="day", type="date")}, dialect
    )
    target, staged = ("`sales`.`orders`", "`sales`.`orders__stg`")
    if dialect == "snowflake":
        target, staged = target.replace("`", '"'), staged.replace("`", '"')
    writes = partitions.replace_partition(target, staged, ("id", "day"), day, dialect)
    script = publication_script(control.fence(lease, 7), writes, dialect)
    assert f"{script}\n" == (EXPECTED / f"publication.{dialect}.script").read_text()


@pytest.mark.parametrize("name", ["duckdb", "postgres", "redshift"])
def test_an_engine_of_real_sessions_needs_no_scripts(name: str) -> None:
    assert not has_scripts(name)


@pytest.mark.parametrize(
    ("value", "snowflake", "bigquery"),
    [
        (None, "null", "null"),
        (True, "true", "true"),
        (-3, "-3", "-3"),
        (Decimal("1.50"), "1.50", "1.50"),
        (0.1, "0.1", "0.1"),
        ("o'x\\ $$;", r"'o\'x\\ $$;'", r"'o\'x\\ $$;'"),
        (date(2026, 1, 31), "date '2026-01-31'", "date '2026-01-31'"),
        (
            datetime(2026, 1, 31, 1, 2, 3, 4),
            "to_timestamp_ntz('2026-01-31 01:02:03.000004')",
            "datetime '2026-01-31 01:02:03.000004'",
        ),
        (
            datetime(2026, 1, 31, tzinfo=UTC),
            "to_timestamp_tz('2026-01-31 00:00:00.000000+00:00')",
            "timestamp '2026-01-31 00:00:00.000000+00:00'",
        ),
    ],
)
def test_values_are_literals(value: object, snowflake: str, bigquery: str) -> None:
    statement = Statement(sql=f"select {MARK}", parameters=(value,))
    assert embedded(statement, "snowflake") == f"select {snowflake}"
    assert embedded(statement, "bigquery") == f"select {bigquery}"


@pytest.mark.parametrize("value", [b"x", float("nan"), [1]])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="deferrable=False"):
        embedded(Statement(sql=MARK, parameters=(value,)), "snowflake")


def test_a_value_cannot_end_a_block() -> None:
    fence = Statement(sql=f"update l set x = {MARK}", parameters=("$$; drop table t; $$",))
    script = publication_script(fence, (), "snowflake")
    assert script.startswith("execute immediate '")
    assert "$$; drop" in script
