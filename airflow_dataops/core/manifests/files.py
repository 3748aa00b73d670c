"""Which files of a folder are manifests."""

from __future__ import annotations

from pathlib import PurePath

_DBT_ALSO_WRITES = frozenset(
    {"catalog.json", "graph.json", "graph_summary.json", "perf_info.json", "run_results.json"}
    | {"semantic_manifest.json", "semantic_layer_manifest.json", "sources.json"}
)
"""What else is in dbt's own `target/`."""


def is_manifest(path: str | PurePath) -> bool:
    """Tell whether a file is one, by its path relative to the folder.

    A manifest is a file `manifest.json` in the folder or below it, or any other `.json` directly
    in the folder, but for those that dbt writes beside its manifest. Hidden folders and
    `dbt_packages` are left out.
    """
    path = PurePath(path)
    if any(part.startswith(".") or part == "dbt_packages" for part in path.parts):
        return False
    if path.name in _DBT_ALSO_WRITES:
        return False
    return path.name == "manifest.json" or (len(path.parts) == 1 and path.suffix == ".json")
