"""What an earlier run left (dbt's `--state`): files -> what selectors compare with.

Where the plan is in the cache, no file is read: its key has the contents of those that the
selection looks at.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from airflow_dataops.adapters import cache
from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import ConfigError, DataOpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.core.selection import (
        FreshnessComparison,
        SelectionInputs,
        StateComparison,
    )

T = TypeVar("T")

MANIFEST, RUN_RESULTS, SOURCES = "manifest.json", "run_results.json", "sources.json"
READ_BY = {"state": MANIFEST, "result": RUN_RESULTS, "source_status": SOURCES}
"""By method of the selection language: the file of an earlier run that it looks at."""


class StateFiles(Struct, frozen=True):
    """The files of an earlier run on this host, as far as a selection looks at them.

    Attributes:
        folder: where they are, as the user named it.
        manifest, run_results, sources: their paths; None where there is no such file.
        sources_now: the `sources.json` of the present, beside the manifest that is planned.
    """

    folder: str
    manifest: str | None = None
    run_results: str | None = None
    sources: str | None = None
    sources_now: str | None = None


def methods_in(*expressions: str | Sequence[str] | None) -> frozenset[str]:
    """Return the methods that look at an earlier run, of those that expressions name."""
    texts = _all_texts(expressions)
    return frozenset(name for name in READ_BY if any(f"{name}:" in text for text in texts))


def has_named_selector(*expressions: str | Sequence[str] | None) -> bool:
    """Tell whether a named selector decides, which may name any method."""
    texts = _all_texts(expressions)
    return not texts or any("selector:" in text for text in texts)


class StoredState:
    """What an earlier run left; it is read when it is asked for.

    Attributes:
        key: tells the contents of the files.
        deferred_to: the manifest with the relations that references lead to (dbt's `--defer`).
        favor_state: whether all that is not selected is read from there.
    """

    def __init__(
        self, files: StateFiles, deferred_to: str | None = None, *, favor_state: bool = False
    ) -> None:
        """Find out what is in the files. Raises `ConfigError`, `ManifestError`."""
        self.files = files
        self.deferred_to = None if deferred_to is None else open_manifest(deferred_to)
        self.favor_state = favor_state
        names = (files.manifest, files.run_results, files.sources, files.sources_now)
        keys = [_key(name) if name else "-" for name in names]
        if self.deferred_to is not None:
            keys += ["defer", self.deferred_to.key, str(favor_state)]
        self.key = " ".join(keys)

    def check_deferral(self, manifest: StoredManifest) -> None:
        """Read what is deferred to. Raises `DataOpsError` where that is no state of the project."""
        if self.deferred_to is None:
            return
        try:
            theirs, ours = self.deferred_to.project().name, manifest.project().name
        except DataOpsError as error:
            raise ConfigError(f"{manifest.source}: defer: {error}") from error
        if theirs != ours:
            raise ConfigError(
                f"{manifest.source}: defer: {self.deferred_to.source} is of the project "
                f"{theirs!r}, not of {ours!r}; name what an earlier run of this project left."
            )

    def inputs(self, manifest: StoredManifest) -> SelectionInputs:
        """Return what selectors look at besides the project of `manifest`.

        Raises:
            DataOpsError: a file is damaged, or is not what it should be; names it.
        """
        from airflow_dataops.core.selection import SelectionInputs, read_run_results

        try:
            return SelectionInputs(
                state=self._state(manifest),
                results=_read(self.files.run_results, read_run_results),
                freshness=self._freshness(),
            )
        except DataOpsError as error:
            raise ConfigError(f"{manifest.source}: state={self.files.folder!r}: {error}") from error

    def _state(self, manifest: StoredManifest) -> StateComparison | None:
        from airflow_dataops.core.selection import StateComparison

        if self.files.manifest is None:
            return None
        before = open_manifest(self.files.manifest).state()
        now = manifest.state()
        if before.project and now.project and before.project != now.project:
            raise ConfigError(
                f"{self.files.manifest} is of the project {before.project!r}, not of "
                f"{now.project!r}; name what an earlier run of this project left."
            )
        return StateComparison(now=now, before=before)

    def _freshness(self) -> FreshnessComparison | None:
        from airflow_dataops.core.selection import FreshnessComparison, read_source_freshness

        before = _read(self.files.sources, read_source_freshness)
        now = _read(self.files.sources_now, read_source_freshness)
        if before is None or now is None:
            return None
        return FreshnessComparison(now=now, before=before)


def _all_texts(expressions: Sequence[str | Sequence[str] | None]) -> list[str]:
    found: list[str] = []
    for each in expressions:
        found += [each] if isinstance(each, str) else each or ()
    return found


def _key(name: str) -> str:
    path = Path(name)
    with _told(path):
        return cache.known_key(path) or cache.learn_key(path, read_regular(path))


def _read(name: str | None, of: Callable[..., T]) -> T | None:
    if name is None:
        return None
    path = Path(name)
    with _told(path):
        return of(read_regular(path), source=name)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"state: {path} cannot be read ({error.strerror}); let the user that runs Airflow "
            "read it"
        ) from error
