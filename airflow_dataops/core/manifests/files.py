"""Which files of a folder are manifests."""

from __future__ import annotations

from pathlib import PurePath


def is_manifest(path: str | PurePath) -> bool:
    """Tell whether a file is one, by its path relative to the folder.

    A manifest is a file `manifest.json` in the folder or below it, or any other `.json` directly
    in the folder. Hidden folders and `dbt_packages` are left out.
    """
    path = PurePath(path)
    if any(part.startswith(".") or part == "dbt_packages" for part in path.parts):
        return False
    return path.name == "manifest.json" or (len(path.parts) == 1 and path.suffix == ".json")
