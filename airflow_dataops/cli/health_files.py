"""What `pipeline-health-monitor` and `sla-tracker` share: configs, reports, exits."""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from airflow_dataops.adapters.local_files import read_settings_file
from airflow_dataops.core.decoding import decode, schema
from airflow_dataops.core.health.rendering import Document, Format, format_of, write
from airflow_dataops.core.health.verdict import UNCHECKED, USAGE
from airflow_dataops.errors import ConfigError, DataOpsError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


def read_config(path: Path, kind: type[T]) -> T:
    """Read a config file.

    Raises:
        ConfigError: it cannot be read, or holds mistakes; all of them at once.
    """
    return decode(read_settings_file(path), kind, source=str(path))


def schema_text(kind: type) -> str:
    """Return the JSON Schema of a config, as text."""
    return json.dumps(schema(kind), indent=2) + "\n"


def put(
    document: Document, data: Any, output: Path | None, kind: Format | None, *, default: Format
) -> None:
    """Write a report to a file, or to stdout.

    Args:
        data: what JSON shows.
        kind: by default what the file's name asks for, or `default` on stdout.

    Raises:
        ConfigError: the file cannot be written.
    """
    chosen = kind or (format_of(output) if output is not None else default)
    text = to_json(data) if chosen is Format.JSON else write(document, chosen)
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text)
    except OSError as error:
        raise ConfigError(f"{output} cannot be written: {error.strerror}.") from None


def to_json(data: Any) -> str:
    """Return data as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"


def run_app(name: str, load: Callable[[], Callable[[], Any]]) -> None:
    """Run a command: exit 2 when it was misused, 3 when the world was not ready."""
    if any(importlib.util.find_spec(needed) is None for needed in ("typer", "rich")):
        _stop(MissingExtraError(name, "cli"), USAGE)
    try:
        load()()
    except (ConfigError, MissingExtraError) as error:
        _stop(error, USAGE)
    except DataOpsError as error:
        _stop(error, UNCHECKED)


def _stop(error: DataOpsError, code: int) -> NoReturn:
    sys.stderr.write(f"Error: {error}\n")
    sys.exit(code)
