"""A dbt project of layered models with a test each, and what runs it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import yaml

ROWS = 2000
LAYERS = {"staging": "stg", "intermediate": "int", "marts": "fct"}


class Project(NamedTuple):
    """A project on disk.

    Attributes:
        connection: Airflow's to the same warehouse, as JSON.
    """

    folder: Path
    manifest: Path
    connection: str


def write_project(folder: Path, engine: str, models: int, postgres: str) -> Project:
    """Write a project and compile it.

    Args:
        postgres: the address of the server, for that engine.
    """
    folder = folder.resolve()
    output, connection = _warehouse(folder, engine, postgres)
    for name in LAYERS:
        (folder / "models" / name).mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    for number in range(models):
        layer = list(LAYERS)[3 * number // models]
        name = f"{LAYERS[layer]}_{number:03d}"
        (folder / "models" / layer / f"{name}.sql").write_text(_query(number, names))
        names.append(name)
    described = [
        {"name": name, "columns": [{"name": "id", "data_tests": ["not_null"]}]} for name in names
    ]
    (folder / "models" / "schema.yml").write_text(yaml.safe_dump({"models": described}))
    project = {"name": "bench", "profile": "bench", "version": "1.0"}
    project["models"] = {"bench": {"+materialized": "table"}}
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
    profiles = {"bench": {"target": "dev", "outputs": {"dev": output}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profiles))
    dbt = Path(sys.executable).with_name("dbt")
    command = [str(dbt), "--quiet", "compile", "--profiles-dir", "."]
    subprocess.run(command, cwd=folder, check=True)
    return Project(folder, folder / "target" / "manifest.json", connection)


def _query(number: int, names: list[str]) -> str:
    """A layer's first models make rows; all others read one or two models before them."""
    if number < 4:
        return f"select {number} as origin, i as id from generate_series(1, {ROWS}) as t(i)\n"
    parents = [names[number // 2], *([names[number // 3]] if number % 2 else [])]
    queries = (f"select origin, id from {{{{ ref('{name}') }}}}" for name in parents)
    return "\nunion all\n".join(queries) + f"\nlimit {ROWS}\n"


def _warehouse(folder: Path, engine: str, postgres: str) -> tuple[dict[str, object], str]:
    """Return dbt's output and Airflow's connection."""
    if engine == "duckdb":
        file = str(folder / "warehouse.duckdb")
        return {"type": "duckdb", "path": file}, json.dumps({"conn_type": "duckdb", "host": file})
    at = urlsplit(postgres)
    host = at.hostname or parse_qs(at.query)["host"][0]
    place = {"host": host, "port": at.port or 5432}
    login = at.username or "postgres"
    output: dict[str, object] = {
        "type": "postgres",
        "user": login,
        "password": at.password or "",
        "dbname": at.path.strip("/"),
        "schema": "bench",
        **place,
    }
    connection = {"conn_type": "postgres", "login": login, "schema": at.path.strip("/"), **place}
    return output, json.dumps(connection | {"password": at.password or ""})
