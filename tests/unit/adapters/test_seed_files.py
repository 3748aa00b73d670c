"""Files of seeds are read at the compile: what is wrong is told with seed, file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.adapters.dbt_cli import check_seeds
from airflow_dataops.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path


def manifest_of(folder: Path, **files: bytes) -> dict[str, Any]:
    nodes = {}
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content)
        nodes[f"seed.shop.{name}"] = {
            "resource_type": "seed",
            "original_file_path": f"{name}.csv",
            "config": {"delimiter": ";" if name == "semicolons" else None},
        }
    return {"nodes": nodes}


def test_every_file_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    files = {
        "ragged": b"id,v\n1,2\n3\n",
        "wide": b"id,v\n1,2,3\n",
        "open_quote": b'id,v\n1,"x\n',
        "latin": "id,v\n1,\u00fc\n".encode("latin-1"),
        "good": b"\xef\xbb\xbfid,v\n1,\n",
        "semicolons": b"id;v\n1;2\n",
    }
    with pytest.raises(ManifestError) as caught:
        check_seeds(tmp_path, manifest_of(tmp_path, **files))
    said = {problem.node: str(problem) for problem in caught.value.problems}
    assert said.keys() == {f"seed.shop.{n}" for n in ("ragged", "wide", "open_quote", "latin")}
    assert "ragged.csv" in said["seed.shop.ragged"]
    assert "line 3: 1 values for 2 columns" in said["seed.shop.ragged"]
    assert "line 2: 3 values for 2 columns" in said["seed.shop.wide"]
    assert "line 2" in said["seed.shop.open_quote"]
    assert "not UTF-8" in said["seed.shop.latin"]
