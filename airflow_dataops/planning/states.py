"""Where an earlier run left its files: a folder of this host, or one far away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_dataops.adapters.state_store import (
    MANIFEST,
    READ_BY,
    SOURCES,
    StateFiles,
    StoredState,
    has_named_selector,
    methods_in,
)
from airflow_dataops.core.arguments import flag
from airflow_dataops.errors import ConfigError, ManifestError
from airflow_dataops.planning.places import locate_folder
from airflow_dataops.planning.sources import ManifestSource

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_dataops.adapters.plan_store import Selection
    from airflow_dataops.planning.arguments import PlanArguments
    from airflow_dataops.planning.sources import Fetch


def open_state(
    arguments: PlanArguments, manifest: Path, *expressions: Selection, fetch: Fetch
) -> StoredState | None:
    """Open what an earlier run left, as far as selections look at it or references lead to it.

    Args:
        expressions: the selections.
        fetch: brings files that are far away.

    Raises:
        ConfigError: an argument is wrong, or a file is not there.
    """
    given, defers = arguments.get("state"), _defers(arguments)
    if defers and arguments.get("relations"):
        raise ConfigError(
            "defer= and relations= do not go together: compile the manifest for the environment "
            "whose DAG defers"
        )
    if given is None and not defers:
        return None

    files, deferred_to = StateFiles(folder=""), None
    if given is not None:
        folder = locate_folder(given, "state")
        methods, others = methods_in(*expressions), has_named_selector(*expressions)
        files = state_files(folder, manifest, methods, others=others, fetch=fetch)
    if defers:
        named = arguments.get("defer_state") or given
        if named is None:
            raise ConfigError("defer=True: name the folder of an earlier run in state= too")
        what = "defer_state" if arguments.get("defer_state") else "state"
        deferred_to = artifact(locate_folder(named, what), MANIFEST, needed=True, fetch=fetch)
    try:
        return StoredState(files, deferred_to, favor_state=arguments.get("favor_state", False))
    except ManifestError as error:
        raise ConfigError(f"{manifest}: state: {error}") from error


def _defers(arguments: PlanArguments) -> bool:
    defers = flag(arguments.get("defer", False), "defer")
    favors = flag(arguments.get("favor_state", False), "favor_state")
    for name, given in (("favor_state", favors), ("defer_state", arguments.get("defer_state"))):
        if given and not defers:
            raise ConfigError(f"{name}= does nothing without defer=True")
    return defers


def state_files(
    folder: Path | ManifestSource,
    manifest: Path,
    methods: Collection[str],
    *,
    others: bool,
    fetch: Fetch,
) -> StateFiles:
    """Return the files of an earlier run that methods of the selection language look at.

    Args:
        folder: what dbt's `--state` is: an absolute path, or the folder's address.
        manifest: the one that is planned; the present `sources.json` is beside it.
        methods: those that the expressions name; what they look at must be there.
        others: whether there may be other methods, in named selectors.
        fetch: brings files that are far away.

    Raises:
        ConfigError: a file that must be there is not, or cannot be had.
    """
    if isinstance(folder, Path) and not folder.is_dir():
        raise ConfigError(
            f"state: {folder} is no folder; name the one with the manifest.json, run_results.json "
            "or sources.json of an earlier run"
        )
    found = {
        method: artifact(folder, name, needed=method in methods, fetch=fetch)
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


def artifact(folder: Path | ManifestSource, name: str, *, needed: bool, fetch: Fetch) -> str | None:
    """Return the path of one file of an earlier run on this host, None where there is none.

    Raises:
        ConfigError: it is needed, and is not there or cannot be had.
    """
    if isinstance(folder, ManifestSource):
        try:
            return str(fetch(replace(folder, uri=f"{folder.uri.rstrip('/')}/{name}")))
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
