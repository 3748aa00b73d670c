"""Reading dbt's run_results.json and sources.json, as far as selection looks at them.

Formats: https://docs.getdbt.com/reference/artifacts/run-results-json and sources-json.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec

from airflow_dataops.errors import ConfigError


class _Result(msgspec.Struct):
    unique_id: str
    status: str


class _RunResults(msgspec.Struct):
    results: list[_Result]


class _Freshness(msgspec.Struct):
    unique_id: str
    max_loaded_at: datetime | None = None


class _Sources(msgspec.Struct):
    results: list[_Freshness]


_Artifact = TypeVar("_Artifact", _RunResults, _Sources)


def read_run_results(data: bytes, *, source: str) -> dict[str, str]:
    """Return the status of each node by its id.

    Args:
        data: content of a `run_results.json`.
        source: the file's name, for messages.

    Raises:
        ConfigError: it is not a run_results.json.
    """
    return {each.unique_id: each.status for each in _read(data, source, _RunResults).results}


def read_source_freshness(data: bytes, *, source: str) -> dict[str, datetime]:
    """Return when each source was last loaded, by node id; without those that failed to tell.

    Raises:
        ConfigError: it is not a sources.json.
    """
    results = _read(data, source, _Sources).results
    return {each.unique_id: each.max_loaded_at for each in results if each.max_loaded_at}


def _read(data: bytes, source: str, type_: type[_Artifact]) -> _Artifact:
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{source} is not what dbt writes: {error}. Let dbt write it again."
        ) from (error)
