"""An environment for dlt, apart from ours: its pins are not those of Airflow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".cache" / "benchmarks" / "dlt"

PINS = (
    "dlt[duckdb,postgres,sql-database]==1.31.0",
    "adbc-driver-postgresql==1.13.0",
    "connectorx==0.4.6",
    "duckdb==2.0.0",
    "numpy==2.4.6",
    "pandas==3.1.1",
    "psycopg2-binary==2.9.13",
    "pyarrow==26.0.1",
    "sqlalchemy==2.1.9",
)


def dlt_python() -> Path:
    """Return the Python of the environment; make it the first time, and when the pins changed."""
    python, done = FOLDER / "bin" / "python", FOLDER / "pins.txt"
    wanted = "\n".join(PINS)
    if not done.exists() or done.read_text() != wanted:
        uv = str(Path(sys.executable).with_name("uv"))
        for command in (
            ["venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER)],
            ["pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *PINS],
        ):
            subprocess.run([uv, *command], check=True)
        done.write_text(wanted)
    return python
