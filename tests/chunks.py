"""The slow tests in chunks; each ends within an hour on two cores.

A slow test belongs to the first chunk that names its file and its engine. `make test-slow` runs the
chunks one after another, `make test-slow CHUNK=loads-killed` runs one, and `CHUNK=list` lists them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

SECONDS = 3600
"""A chunk that takes longer is ended and counts as failed."""

EMULATED = ("bigquery", "redshift", "snowflake")


@dataclass(frozen=True)
class Chunk:
    """Some slow tests.

    Attributes:
        proves: what a reader of its outcome wants to know.
        files: patterns of paths below `tests/`.
        engines: takes the tests on these emulated engines; None takes those on none of them.
        processes: how many run its files.
    """

    proves: str
    files: tuple[str, ...]
    engines: tuple[str | None, ...] = (None,)
    processes: int = 2

    def has(self, file: str, engine: str | None) -> bool:
        """Say whether a slow test of this file on this engine belongs here."""
        return engine in self.engines and any(fnmatchcase(file, each) for each in self.files)


CHUNKS = {
    "snowflake": Chunk(
        "every suite of loads and models on Snowflake's emulator",
        ("contract/*",),
        engines=("snowflake",),
    ),
    "bigquery": Chunk(
        "every suite of loads and models on BigQuery's emulator",
        ("contract/*",),
        engines=("bigquery",),
    ),
    "redshift": Chunk(
        "every suite of loads and models on Postgres in Redshift's place",
        ("contract/*",),
        engines=("redshift",),
    ),
    "dbt": Chunk(
        "dbt answers today as it was recorded; and as we do, asked at random",
        (
            "contract/test_dbt_models.py",
            "functional/test_compile.py",
            "functional/test_faithful_rendering.py",
            "functional/test_oracle_projects.py",
            "functional/test_run_hooks.py",
            "functional/test_run_settings.py",
            "functional/test_same_day_twice.py",
            "functional/test_selection_oracle.py",
            "functional/test_values_of_runs.py",
            "unit/execution/test_*_as_dbt.py",
        ),
    ),
    "loads-killed": Chunk(
        "loads and transfers killed by SIGKILL at every boundary, on DuckDB and Postgres",
        ("contract/test_*_killed.py",),
    ),
    "loads-random": Chunk(
        "random batches and races on DuckDB and Postgres, thousands of them",
        ("contract/*",),
    ),
    "scale": Chunk(
        "projects, ledgers, alerts and files of sizes that real ones have",
        ("host/*", "unit/*"),
    ),
    "airflow-projects": Chunk(
        "dbt projects under Airflow's own scheduler: tables and verdicts are dbt's",
        (
            "functional/test_projects_*.py",
            "functional/test_wired_assets.py",
            "functional/test_actions_under_airflow.py",
        ),
        processes=1,
    ),
    "airflow-slas": Chunk(
        "a day of SLAs under Airflow's own processes, a thousand runs watched, split projects",
        ("functional/test_sla_*.py", "functional/test_split_dags.py"),
        processes=1,
    ),
    "airflow": Chunk(
        "everything else under Airflow's own processes",
        ("functional/*", "docs/*", "typing/*"),
        processes=1,
    ),
}


def chunk_of(path: str, engine: str | None) -> str | None:
    """Return the name of the chunk that a slow test belongs to; None if there is none.

    Args:
        path: its file, from the repository's root.
        engine: the warehouse that its parameters name, if it is an emulated one.
    """
    file = path.removeprefix("tests/")
    return next((name for name, chunk in CHUNKS.items() if chunk.has(file, engine)), None)


def engine_of(item: pytest.Item) -> str | None:
    """Return the emulated engine that a test's parameters name."""
    callspec = getattr(item, "callspec", None)
    values = callspec.params.values() if callspec else ()
    return next((v for v in values if isinstance(v, str) and v in EMULATED), None)


def run(name: str) -> bool:
    """Run a chunk; say whether all of it passed in time."""
    chunk = CHUNKS[name]
    begun = time.monotonic()
    command = [sys.executable, "-m", "pytest", "--chunk", name, "-n", str(chunk.processes)]
    command += ["--hypothesis-profile", "search"]
    _say(f"{name}: {chunk.proves}")
    try:
        status = subprocess.run(command, timeout=SECONDS, check=False).returncode
        end = "passed" if status == 0 else f"failed ({status})"
    except subprocess.TimeoutExpired:
        end = f"took over {SECONDS // 60} minutes"
    _say(f"{name}: {end}, {(time.monotonic() - begun) / 60:.1f} minutes")
    return end == "passed"


def main(arguments: Sequence[str]) -> int:
    """Run chunks by name, or all; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.chunks")
    parser.add_argument("chunk", nargs="*", choices=[*CHUNKS, "all", "list"], default="all")
    chosen = parser.parse_args(arguments).chunk
    names = [chosen] if isinstance(chosen, str) else chosen
    if "list" in names:
        for name, chunk in CHUNKS.items():
            _say(f"{name:18} {chunk.proves}")
        return 0
    failed = [n for n in (CHUNKS if "all" in names else names) if not run(n)]
    _say(f"not passed: {', '.join(failed)}" if failed else "all passed")
    return len(failed)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
