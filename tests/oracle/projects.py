"""The projects that both sides build, and the raw data of each day."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

REPOSITORY = Path(__file__).parents[2]
FIRST_DAY = date(2026, 1, 5)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class OracleProject:
    """A dbt project with raw data for three days.

    `load` puts the data of day 0, 1 or 2 into the schema `raw`.
    """

    name: str
    directory: Path
    load: Callable[[duckdb.DuckDBPyConnection, int], None]

    @property
    def variable(self) -> str:
        """The environment variable that names the DuckDB file in `profiles.yml`."""
        return f"{self.name.upper()}_DUCKDB"


@cache
def generator() -> Any:
    """Return the module `dags/shop_generator.py`; the folder is not a package."""
    spec = spec_from_file_location("shop_generator", REPOSITORY / "dags" / "shop_generator.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def load_shop(connection: duckdb.DuckDBPyConnection, day: int) -> None:
    """Load a day of the demo's source system, or load it again."""
    source = generator()
    connection.execute(f"create schema if not exists {source.SCHEMA}")
    for ddl in source.ddl().values():
        connection.execute(ddl)
    for table, rows in source.rows_for(FIRST_DAY + day * DAY).items():
        marks = ", ".join(["(" + ", ".join("?" * len(rows[0])) + ")"] * len(rows))
        connection.execute(
            f"delete from {source.SCHEMA}.{table} where extracted_on = ?",
            [FIRST_DAY + day * DAY],
        )
        values = [value for row in rows for value in row.values()]
        connection.execute(f"insert into {source.SCHEMA}.{table} values {marks}", values)


def load_atelier(connection: duckdb.DuckDBPyConnection, day: int) -> None:
    """Load a day of the project of odd shapes."""
    connection.execute((ATELIER.directory / "raw" / f"{day}.sql").read_text(encoding="utf-8"))


SHOP = OracleProject("shop", REPOSITORY / "demo" / "shop", load_shop)
ATELIER = OracleProject("atelier", REPOSITORY / "tests" / "projects" / "atelier", load_atelier)
