"""The public API under pyright; mypy looks at the same files in `make lint`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MARKED = {
    number
    for number, line in enumerate((HERE / "wrong.py").read_text().splitlines(), 1)
    if line.endswith("# !")
}


@pytest.mark.slow
def test_right_calls_are_accepted_and_each_wrong_one_is_found(tmp_path: Path) -> None:
    """By basedpyright in pyright's own mode: its wheel brings its node."""
    settings = {
        "typeCheckingMode": "standard",
        "enableTypeIgnoreComments": False,
        "include": [str(HERE / "api.py"), str(HERE / "wrong.py")],
        "extraPaths": [str(HERE.parents[1])],
    }
    file = tmp_path / "pyrightconfig.json"
    file.write_text(json.dumps(settings))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "basedpyright", "--outputjson", "--level", "error"),
            *("--pythonpath", sys.executable, "-p", file),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, set[int]] = {"api.py": set(), "wrong.py": set()}
    for said in json.loads(done.stdout)["generalDiagnostics"]:
        found[Path(said["file"]).name].add(said["range"]["start"]["line"] + 1)
    assert found == {"api.py": set(), "wrong.py": MARKED}
