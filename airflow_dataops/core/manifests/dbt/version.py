"""The schema version of a manifest: which ones we read, and what else a file may be.

`metadata.dbt_schema_version` is the address of a JSON schema, such as
https://schemas.getdbt.com/dbt/manifest/v12.json (dbt 1.8 to 1.11); v10 is dbt 1.6, v11 is
dbt 1.7. Source: https://docs.getdbt.com/reference/artifacts/manifest-json.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.errors import Problem

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.wire import Metadata

OLDEST = 10
NEWEST = 12
DATAOPS = 3
"""The newest version of our own additions (`metadata.dataops.version`)."""
TOUCHED = 2
"""The first version of them that has `dataops_touched`."""
RENDERED = 3
"""The first version that tells what it was compiled with, and where values of runs go."""

_ADDRESS = re.compile(r"/dbt/(?P<artifact>[a-z_-]+)/v(?P<number>\d{1,9})(?:\.json)?/?$")


def schema_version(metadata: Metadata) -> str:
    """Return the version of a manifest, such as `v12`."""
    return f"v{_found(metadata)[1]}"


def check_version(metadata: Metadata) -> Problem | None:
    """Say what keeps us from reading a file with this metadata, if anything does."""
    artifact, number = _found(metadata)
    by = f", written by dbt {metadata.dbt_version}" if metadata.dbt_version else ""
    if artifact is None:
        return _unknown(metadata)
    if artifact != "manifest":
        return Problem(
            f"this is dbt's {artifact} (v{number}{by}), not its manifest. "
            "Take target/manifest.json of the same project."
        )
    if number < OLDEST:
        return Problem(
            f"this is a dbt manifest of schema v{number}{by}; v{OLDEST} (dbt 1.6) is the oldest "
            "that can be read. Compile the project with dbt 1.6 or newer."
        )
    if metadata.dataops and metadata.dataops.version > DATAOPS:
        return Problem(
            f"this was compiled by a newer airflow-dataops (format {metadata.dataops.version}, "
            f"this release reads {DATAOPS}). Upgrade airflow-dataops here, or compile with the "
            "release that is installed here."
        )
    return None


def version_warning(metadata: Metadata) -> str | None:
    """Warn of a version that is newer than those we know."""
    number = _found(metadata)[1]
    if number <= NEWEST:
        return None
    return (
        f"the manifest has schema v{number}; v{NEWEST} is the newest this release of "
        "airflow-dataops knows, what came later is ignored"
    )


def unrecorded_warning(metadata: Metadata) -> str | None:
    """Warn of our own manifest that does not tell what nodes touch while they are rendered."""
    if metadata.dataops is None or metadata.dataops.version >= TOUCHED:
        return None
    return (
        "the manifest was compiled by an airflow-dataops that did not record what asks the "
        "clock or the warehouse while it is rendered; such nodes run with what was found at "
        "that time. Compile it again"
    )


def _found(metadata: Metadata) -> tuple[str | None, int]:
    match = _ADDRESS.search(metadata.dbt_schema_version)
    return (match["artifact"], int(match["number"])) if match else (None, 0)


def _unknown(metadata: Metadata) -> Problem:
    if found := metadata.dbt_schema_version:
        said = f"its metadata.dbt_schema_version is {found[:80]!r}"
    else:
        said = "it has no metadata.dbt_schema_version"
    return Problem(
        f"this is JSON, but no dbt manifest: {said}. Take target/manifest.json, which "
        "`dbt compile` or `airflow-dataops compile` writes."
    )
