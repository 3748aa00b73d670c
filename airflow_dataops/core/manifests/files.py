"""Which files of a folder are manifests, and of which kind: told by their names alone.

dbt's are `manifest.json` in the folder or below it, and any other `.json` directly in the folder,
but for those that dbt writes beside its manifest. A file of any other kind has its kind in its
name: `sales.pipeline.yaml`. Hidden folders and `dbt_packages` are left out.
"""

from __future__ import annotations

from pathlib import PurePath

DBT = "dbt"
PIPELINE = "pipeline"
PIPELINES = (".pipeline.yaml", ".pipeline.yml")
SUFFIXES = (".json", ".yaml", ".yml")
"""Of all manifests."""

_DBT_ALSO_WRITES = frozenset(
    {"catalog.json", "graph.json", "graph_summary.json", "perf_info.json", "run_results.json"}
    | {"semantic_manifest.json", "semantic_layer_manifest.json", "sources.json"}
)
"""What else is in dbt's own `target/`."""


def is_manifest(path: str | PurePath) -> bool:
    """Tell whether a file is one, by its path relative to the folder."""
    return kind_of(path) is not None


def kind_of(path: str | PurePath) -> str | None:
    """Return the name of the reader that reads a file, by its path relative to the folder.

    Returns:
        None for a file that is no manifest.
    """
    if str(path).endswith(PIPELINES) and "/." not in f"/{path}" and "dbt_packages" not in str(path):
        return PIPELINE
    path = PurePath(path)
    if any(part.startswith(".") or part == "dbt_packages" for part in path.parts):
        return None
    if path.suffix not in SUFFIXES or path.name in _DBT_ALSO_WRITES:
        return None
    if kind := named_kind(path.name):
        return kind
    is_dbt = path.name == "manifest.json" or (len(path.parts) == 1 and path.suffix == ".json")
    return DBT if is_dbt else None


def named_kind(name: str) -> str | None:
    """Return the kind that a file's name tells; None where it tells none that somebody reads."""
    path = PurePath(name)
    kind = PurePath(path.stem).suffix.removeprefix(".")
    if not kind or path.suffix not in SUFFIXES:
        return None
    if kind == PIPELINE:
        return kind if name.endswith(PIPELINES) else None
    # Only for such names: to look for packages takes as long as to plan a project.
    from airflow_dataops.core.manifests.plugged import plugged_kinds

    return kind if kind in plugged_kinds() else None
