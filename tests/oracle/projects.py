"""The projects that both sides build, and the raw data of each day."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.oracle.databases import DuckDBFile, PostgresDatabase, postgres_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.ports import SqlRunner
    from tests.oracle.databases import Database

REPOSITORY = Path(__file__).parents[2]
_PROJECTS = REPOSITORY / "tests" / "projects"
FIRST_DAY = date(2026, 1, 5)
DAY = timedelta(days=1)


class Databases(NamedTuple):
    """A database for dbt, one for our engine, and the one that the project is compiled for.

    The compiled SQL names the database: it must be ours, or have its name.
    """

    dbt: Database
    ours: Database
    compiled: Database


@dataclass(frozen=True)
class OracleProject:
    """A dbt project with raw data for three days.

    Attributes:
        directory: the project's folder.
        load: puts the data of day 0, 1 or 2 into the schema `raw`.
        databases: makes them, with folders for dbt's and ours.
        adapted: makes a copy of the project for its adapter in a folder, and returns it.
    """

    name: str
    adapter: str
    directory: Path
    load: Callable[[SqlRunner, int], None]
    databases: Callable[[Path, Path], Databases]
    adapted: Callable[[Path], Path] | None = None

    @property
    def variable(self) -> str:
        """The environment variable that names the database in `profiles.yml`."""
        return f"{self.name.upper()}_{self.adapter.upper()}"

    @property
    def id(self) -> str:
        return f"{self.name}-{self.adapter}"


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


def load_shop(runner: SqlRunner, day: int) -> None:
    """Load a day of the demo's source system, or load it again."""
    source = generator()
    runner.execute(f"create schema if not exists {source.SCHEMA}")
    for ddl in source.ddl().values():
        runner.execute(ddl)
    mark = runner.placeholder
    for table, rows in source.rows_for(FIRST_DAY + day * DAY).items():
        marks = ", ".join(["(" + ", ".join([mark] * len(rows[0])) + ")"] * len(rows))
        runner.execute(
            f"delete from {source.SCHEMA}.{table} where extracted_on = {mark}",
            [FIRST_DAY + day * DAY],
        )
        values = [value for row in rows for value in row.values()]
        runner.execute(f"insert into {source.SCHEMA}.{table} values {marks}", values)


def load_atelier(runner: SqlRunner, day: int) -> None:
    """Load a day of the project of odd shapes."""
    runner.execute(_raw(day))


def load_atelier_on_postgres(runner: SqlRunner, day: int) -> None:
    """The same days in Postgres's words."""
    anew = r"drop table if exists \1 cascade;\ncreate table \1 as"
    runner.execute(re.sub(r"create or replace table (\S+) as", anew, _raw(day)))


def postgres_atelier(folder: Path) -> Path:
    """Copy the project of odd shapes, with Postgres's words where they differ."""
    copy = folder / "project"
    ignored = shutil.ignore_patterns("target", "logs", "*.duckdb*", "py_scores.py")
    shutil.copytree(_PROJECTS / "atelier", copy, ignore=ignored)
    shutil.copytree(_PROJECTS / "atelier_postgres", copy, dirs_exist_ok=True)
    profile = postgres_profile("atelier", ATELIER_ON_POSTGRES.variable, "werk")
    (copy / "profiles.yml").write_text(profile, encoding="utf-8")
    return copy


def _raw(day: int) -> str:
    return (_PROJECTS / "atelier" / "raw" / f"{day}.sql").read_text(encoding="utf-8")


def _files(name: str) -> Callable[[Path, Path], Databases]:
    def make(theirs: Path, ours: Path) -> Databases:
        elsewhere = ours / "compile"
        elsewhere.mkdir()
        return Databases(*(DuckDBFile.create(name, f) for f in (theirs, ours, elsewhere)))

    return make


def _databases(theirs: Path, ours: Path) -> Databases:
    own = PostgresDatabase.create("atelier", ours)
    return Databases(PostgresDatabase.create("atelier", theirs), own, own)


SHOP = OracleProject("shop", "duckdb", REPOSITORY / "demo" / "shop", load_shop, _files("shop"))
ATELIER = OracleProject("atelier", "duckdb", _PROJECTS / "atelier", load_atelier, _files("atelier"))
ATELIER_ON_POSTGRES = OracleProject(
    "atelier",
    "postgres",
    _PROJECTS / "atelier",
    load_atelier_on_postgres,
    _databases,
    postgres_atelier,
)
