"""The projects that both sides build, and the raw data of each day."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.oracle.databases import DuckDBFile, PostgresDatabase, postgres_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
class Step:
    """One run of both sides.

    Attributes:
        day: whose data is loaded before it, if any is.
        begins: when Python's clock has it begin, on both sides; None for now.
        variables: dbt's vars of the run.
    """

    name: str
    day: int | None = None
    full_refresh: bool = False
    begins: datetime | None = None
    variables: Mapping[str, Any] | None = None


STEPS = (
    Step("full refresh from nothing", 0, full_refresh=True),
    Step("second day", 1),
    Step("third day", 2),
    Step("full refresh again", full_refresh=True),
)


@dataclass(frozen=True)
class OracleProject:
    """A dbt project with raw data for three days.

    Attributes:
        directory: the project's folder.
        load: puts the data of day 0, 1 or 2 into the schema `raw`.
        databases: makes them, with folders for dbt's and ours.
        adapted: makes a copy of the project for its adapter in a folder, and returns it.
        steps: the runs.
        runtime_vars: the vars that each of them sets, with values for the compilation.
        asks: whether its models ask for the raw data while they are compiled.
        watched: whether its sources' freshness is compared.
        beside: whether what stands beside the rows is: comments, grants, constraints.
    """

    name: str
    adapter: str
    directory: Path
    load: Callable[[SqlRunner, int], None]
    databases: Callable[[Path, Path], Databases]
    adapted: Callable[[Path], Path] | None = None
    steps: tuple[Step, ...] = STEPS
    runtime_vars: Mapping[str, Any] | None = None
    asks: bool = False
    watched: bool = True
    beside: bool = False

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
    runner.execute(_raw("atelier", day))


def load_almanac(runner: SqlRunner, day: int) -> None:
    """Load a day of the project about the run itself."""
    if runner.dialect == "postgres":
        runner.execute(_READER)
    runner.execute(_raw("almanac", day))


def load_atelier_on_postgres(runner: SqlRunner, day: int) -> None:
    """The same days in Postgres's words."""
    anew = r"drop table if exists \1 cascade;\ncreate table \1 as"
    runner.execute(re.sub(r"create or replace table (\S+) as", anew, _raw("atelier", day)))


def _on_postgres(name: str, schema: str, settings: str = "") -> Callable[[Path], Path]:
    """Copy a project, with Postgres's words where they differ."""

    def copied(folder: Path) -> Path:
        copy = folder / "project"
        ignored = shutil.ignore_patterns("target", "logs", "*.duckdb*", "py_scores.py")
        shutil.copytree(_PROJECTS / name, copy, ignore=ignored)
        shutil.copytree(_PROJECTS / f"{name}_postgres", copy, dirs_exist_ok=True)
        profile = postgres_profile(name, f"{name.upper()}_POSTGRES", schema) + settings
        (copy / "profiles.yml").write_text(profile, encoding="utf-8")
        return copy

    return copied


def _raw(project: str, day: int) -> str:
    return (_PROJECTS / project / "raw" / f"{day}.sql").read_text(encoding="utf-8")


def _files(name: str) -> Callable[[Path, Path], Databases]:
    def make(theirs: Path, ours: Path) -> Databases:
        elsewhere = ours / "compile"
        elsewhere.mkdir()
        return Databases(*(DuckDBFile.create(name, f) for f in (theirs, ours, elsewhere)))

    return make


def _servers(name: str) -> Callable[[Path, Path], Databases]:
    def make(theirs: Path, ours: Path) -> Databases:
        own = PostgresDatabase.create(name, ours)
        return Databases(PostgresDatabase.create(name, theirs), own, own)

    return make


_READER = """
do $$ begin
    if not exists (select from pg_roles where rolname = 'almanac_reader') then
        create role almanac_reader;
    end if;
end $$
"""


def _at(day: int, hour: int) -> datetime:
    return datetime(2027, 3, day, hour, 30, tzinfo=UTC)


def _days(*steps: Step) -> tuple[Step, ...]:
    """Return the runs of the almanac: three days, one of them again, and a backfill of five."""
    backfill = (
        Step(
            f"backfill of day {day}",
            begins=_at(5, day),
            variables={"run_day": f"2027-02-{20 + day}", "factor": 10 + day, "region": "us"},
        )
        for day in range(5)
    )
    return (*steps, *backfill)


SHOP = OracleProject("shop", "duckdb", REPOSITORY / "demo" / "shop", load_shop, _files("shop"))
ATELIER = OracleProject("atelier", "duckdb", _PROJECTS / "atelier", load_atelier, _files("atelier"))
ATELIER_ON_POSTGRES = OracleProject(
    "atelier",
    "postgres",
    _PROJECTS / "atelier",
    load_atelier_on_postgres,
    _servers("atelier"),
    _on_postgres("atelier", "werk"),
)
ALMANAC = OracleProject(
    "almanac",
    "duckdb",
    _PROJECTS / "almanac",
    load_almanac,
    _files("almanac"),
    steps=_days(
        Step("full refresh from nothing", 0, True, _at(1, 4), {"run_day": "2027-02-24"}),
        Step("second day", 1, begins=_at(2, 4), variables={"run_day": "2027-02-25"}),
        Step("third day", 2, begins=_at(3, 23), variables={"run_day": "2027-02-26", "factor": 3}),
        Step("full refresh again", None, True, _at(4, 4), {"run_day": "2027-02-26"}),
    ),
    runtime_vars={"run_day": "2026-12-31", "region": "nowhere", "factor": 7},
    asks=True,
    watched=False,
    beside=True,
)
ALMANAC_ON_POSTGRES = replace(
    ALMANAC,
    adapter="postgres",
    databases=_servers("almanac"),
    adapted=_on_postgres("almanac", "diary", "      search_path: raw, public\n"),
)
