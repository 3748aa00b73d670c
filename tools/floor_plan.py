"""The picture of the house in CONTRIBUTING.md, drawn from the import contracts.

    python -m tools.floor_plan

Floors are the layers of the contracts in `pyproject.toml`; what is said of a room is the first
sentence of its docstring.
"""

from __future__ import annotations

import ast
import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- floor plan: python -m tools.floor_plan -->\n", "<!-- end of floor plan -->\n"
_LONGEST = 90


def picture() -> str:
    """Return the floors as Mermaid: an arrow leads from each room to the floors it may import."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layered = [each for each in contracts["contracts"] if each["type"] == "layers"]
    lines = ["```mermaid", "flowchart TD"]
    for contract in layered:
        (package,) = contract["containers"]
        floors = [list(map(str.strip, layer.split("|"))) for layer in contract["layers"]]
        lines += [f'  subgraph {_id(package)}_floors["{package}"]', "    direction TB"]
        lines += [f"    {line}" for line in _floors(package, floors)]
        lines.append("  end")
        if package != layered[0]["containers"][0]:
            lines.append(f"  {_id(package)} -.- {_id(package)}_floors")
    return "\n".join([*lines, "```", ""])


def page() -> str:
    """Return CONTRIBUTING.md with the picture as it should be."""
    text = PAGE.read_text()
    before, _, after = text.partition(BEGIN)
    return before + BEGIN + picture() + END + after.partition(END)[2]


def _floors(package: str, floors: list[list[str]]) -> Iterator[str]:
    for floor in floors:
        for room in floor:
            yield f'{_id(package, room)}["<b>{room}</b><br/>{_told(package, room)}"]'
    for above, below in pairwise(floors):
        yield f"{_row(package, above)} --> {_row(package, below)}"


def _row(package: str, floor: list[str]) -> str:
    return " & ".join(_id(package, room) for room in floor)


def _id(*parts: str) -> str:
    """Return the name of a node: a room's, after those of the rooms it is in."""
    return ".".join(parts).partition(".")[2].replace(".", "_") or parts[0]


def _told(package: str, room: str) -> str:
    """Return the first sentence of a room's docstring."""
    place = ROOT.joinpath(*package.split("."), room)
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text())) or ""
    first = " ".join(docstring.split("\n\n")[0].split())
    sentence = re.split(r"\. ", first)[0].rstrip(".").replace('"', "'").replace("`", "")
    escaped = sentence.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped if len(escaped) <= _LONGEST else f"{escaped[: _LONGEST - 1]}…"


if __name__ == "__main__":
    PAGE.write_text(page())
