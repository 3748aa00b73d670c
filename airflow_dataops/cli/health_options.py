"""The options of `pipeline-health-monitor`, and those that it shares with `sla-tracker`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer

from airflow_dataops.core.health.rendering import Format
from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

C = TypeVar("C", bound=Struct)

Config = Annotated[Path | None, typer.Option(help="The config file, JSON.")]
ConnId = Annotated[
    str | None, typer.Option(help="Airflow connection of the tables; BigQuery by default.")
]
Project = Annotated[str | None, typer.Option(help="BigQuery's project for queries.")]
Location = Annotated[str | None, typer.Option(help="BigQuery's region.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")]
As = Annotated[
    Format | None, typer.Option("--format", help="By default what the file's name says.")
]
Ledger = Annotated[
    str | None,
    typer.Option(help="URL of the ledger that keeps each round; `airflow` for Airflow's."),
]
Interval = Annotated[float, typer.Option(min=0.1, help="Seconds between two rounds.")]
Schema = Annotated[bool, typer.Option("--schema", help="Print the config's JSON Schema.")]
Url = Annotated[str | None, typer.Option(help="Airflow's api-server; AIRFLOW_API_URL by default.")]

Table = Annotated[list[str] | None, typer.Option(help="A table to check, instead of a config.")]
CheckFreshness = Annotated[
    bool, typer.Option("--check-freshness", help="Check how old --table is.")
]
TimestampColumn = Annotated[str | None, typer.Option(help="The column of times of --table.")]
MaxAge = Annotated[float, typer.Option(help="How old --table may be.")]
CheckFailures = Annotated[
    bool, typer.Option("--check-failures", help="Ask Airflow for failed DAG runs.")
]
CostReport = Annotated[
    bool, typer.Option("--cost-report", help="Print what queries cost, as JSON.")
]
Hours = Annotated[float | None, typer.Option(min=0, help="Hours to look back.")]
Watch = Annotated[bool, typer.Option("--watch", help="Check again and again.")]


def joined(config: C, given: Mapping[str, Any]) -> C:
    """Return a config with the options that were given on the command line."""
    return msgspec.structs.replace(config, **{k: v for k, v in given.items() if v is not None})
