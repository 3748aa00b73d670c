"""Where an earlier run left its files: a folder of this host, or one far away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_dataops.adapters.state_store import READ_BY, SOURCES, StateFiles
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.sources import ManifestSource, local_manifest

if TYPE_CHECKING:
    from collections.abc import Collection


def state_files(
    folder: Path | ManifestSource, manifest: Path, methods: Collection[str], *, others: bool
) -> StateFiles:
    """Return the files of an earlier run that methods of the selection language look at.

    Args:
        folder: what dbt's `--state` is: an absolute path, or the folder's address.
        manifest: the one that is planned; the present `sources.json` is beside it.
        methods: those that the expressions name; what they look at must be there.
        others: whether there may be other methods, in named selectors.

    Raises:
        ConfigError: a file that must be there is not, or cannot be had.
    """
    if isinstance(folder, Path) and not folder.is_dir():
        raise ConfigError(
            f"state: {folder} is no folder; name the one with the manifest.json, run_results.json "
            "or sources.json of an earlier run"
        )
    found = {
        method: artifact(folder, name, needed=method in methods)
        for method, name in READ_BY.items()
        if method in methods or others
    }
    beside = manifest.with_name(SOURCES)
    if "source_status" in methods and not beside.is_file():
        raise ConfigError(
            f"source_status: compares two looks at the sources, and there is no {beside} for the "
            "present one; `dbt source freshness` writes it"
        )
    return StateFiles(
        folder=str(folder),
        manifest=found.get("state"),
        run_results=found.get("result"),
        sources=found.get("source_status"),
        sources_now=str(beside) if beside.is_file() and found.get("source_status") else None,
    )


def artifact(folder: Path | ManifestSource, name: str, *, needed: bool) -> str | None:
    """Return the path of one file of an earlier run on this host, None where there is none.

    Raises:
        ConfigError: it is needed, and is not there or cannot be had.
    """
    if isinstance(folder, ManifestSource):
        try:
            return str(local_manifest(replace(folder, uri=f"{folder.uri.rstrip('/')}/{name}")))
        except ConfigError:
            if needed:
                raise
            return None
    path = folder / name
    if path.is_file():
        return str(path)
    if needed:
        raise ConfigError(f"state: {folder} has no {name}; dbt writes it into target/")
    return None
