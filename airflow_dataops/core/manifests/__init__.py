"""Reads manifests: bytes of a file to the project and its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.state import read_state
    from airflow_dataops.core.model import Manifest

__all__ = ["read_manifest", "read_state"]


def read_manifest(data: bytes, *, source: str) -> Manifest:
    """Read a manifest.

    Args:
        data: content of a dbt `manifest.json` (schema v10 or newer, best with compiled code), or
            of a manifest of another kind.
        source: the file's name, for messages; it tells the kind.

    Returns:
        The project, a graph of nodes, and apart from it the code of what can be run. What a
        reader should know and need not mend is in `project.warnings`.

    Raises:
        ManifestError: with everything that must be mended, each problem with the node and the
            file where its author wrote it.
    """
    from airflow_dataops.core.manifests.readers import reader_of

    reader = reader_of(source)
    return reader.read(data, source=source)


def __getattr__(name: str) -> Any:
    """Load readers when they are first asked for: a warm parse asks for none."""
    if name != "read_state":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airflow_dataops.core.manifests.dbt.state import read_state

    return read_state
