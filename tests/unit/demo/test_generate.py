"""The shop's source system: repeatable, consistent within itself, and with late corrections."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import duckdb
import pytest

from tests.oracle.projects import REPOSITORY, generator

DAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def days() -> tuple[dict, dict]:
    return generator().rows_for(DAY), generator().rows_for(DAY + timedelta(days=1))


def test_a_day_gives_the_same_rows_in_every_process() -> None:
    """Whatever the seed of Python's hashes is."""
    code = "import datetime, hashlib, shop_generator as g; print(hashlib.sha256(repr(g.rows_for("
    code += f"datetime.date.fromisoformat({DAY.isoformat()!r}))).encode()).hexdigest())"

    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPOSITORY / "dags",
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(answers) == 1


def test_rows_fit_the_tables(days: tuple[dict, dict]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        for table, ddl in generator().ddl().items():
            connection.execute(ddl)
            for row in days[0][table][:5]:
                assert list(row) == list(generator().COLUMNS[table])
                marks = ", ".join("?" * len(row))
                connection.execute(f"insert into raw.{table} values ({marks})", [*row.values()])


def test_a_day_is_complete_in_itself(days: tuple[dict, dict]) -> None:
    """Every order comes with its customer, lines and payments, and every line with its product."""
    rows = days[0]

    def column(table: str, name: str) -> set:
        return {row[name] for row in rows[table]}

    orders = column("orders", "order_id")
    assert column("orders", "customer_id") == column("customers", "customer_id")
    assert column("order_items", "order_id") == orders
    assert column("payments", "order_id") == orders
    assert column("order_items", "product_id") <= column("products", "product_id")
    for table in rows:
        key = next(iter(generator().COLUMNS[table]))
        assert len(column(table, key)) == len(rows[table])


def test_nothing_is_known_before_it_happens(days: tuple[dict, dict]) -> None:
    end = DAY + timedelta(days=1)
    for row in days[0]["orders"]:
        assert row["ordered_at"] <= row["status_changed_at"]
        assert row["status_changed_at"].date() < end
        assert row["loaded_at"].date() == end
    assert all(row["updated_at"].date() < end for row in days[0]["customers"])
    assert all(row["updated_at"].date() < end for row in days[0]["products"])


def test_the_next_day_changes_what_the_first_one_said(days: tuple[dict, dict]) -> None:
    """Orders move on, lines are dropped or change, amounts are put right, prices move."""
    changed = {}
    for table in ("orders", "payments", "products", "customers"):
        key = next(iter(generator().COLUMNS[table]))
        first = {row[key]: _facts(row) for row in days[0][table]}
        changed[table] = [
            row for row in days[1][table] if row[key] in first and first[row[key]] != _facts(row)
        ]

    assert all(changed.values()), {table: len(rows) for table, rows in changed.items()}
    lines = [
        {
            order: [_facts(row) for row in rows["order_items"] if row["order_id"] == order]
            for order in {row["order_id"] for row in rows["orders"]}
        }
        for rows in days
    ]
    both = lines[0].keys() & lines[1].keys()
    assert [order for order in both if lines[0][order] != lines[1][order]]


def _facts(row: dict) -> dict:
    return {name: value for name, value in row.items() if name not in ("extracted_on", "loaded_at")}
