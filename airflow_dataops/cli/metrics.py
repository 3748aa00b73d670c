"""`airflow-dataops metrics`: the catalogue as files for the docs, Prometheus and Grafana."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from airflow_dataops.core.metrics.documents.files import files


def metrics(
    output: Annotated[Path, typer.Option(help="The folder that they are written to.")] = Path(
        "docs"
    ),
) -> None:
    """Write the catalogue's page, the Prometheus rules and the Grafana dashboard."""
    for name, text in files().items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        typer.echo(path)
