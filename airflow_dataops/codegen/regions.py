"""What people write into a generated file, and how it survives the next generation.

A region is everything between `# region keep: <name>` and `# endregion keep: <name>`. The rest of
the file is told by a digest in its head, so that an edit outside of the regions is seen, not lost.
"""

from __future__ import annotations

import hashlib
import re

from airflow_dataops.errors import ConfigError

_BEGIN = re.compile(r"^\s*# region keep: (\w+)$")
_END = re.compile(r"^\s*# endregion keep: (\w+)$")
_HEAD = re.compile(r"^# generated: ([0-9a-f]{16}) with (\w+\.json)$", re.MULTILINE)
_MARK = "# generated: "


def head(manifest: str) -> str:
    """Return the comment that tells a generated file, and the manifest that it goes with."""
    return f"{_MARK}? with {manifest}"


def region(name: str, indent: int = 0) -> list[str]:
    """Return the lines of an empty region."""
    pad = " " * indent
    return [f"{pad}# region keep: {name}", f"{pad}# endregion keep: {name}"]


def kept(text: str, where: str) -> dict[str, list[str]]:
    """Return the lines that people wrote, by region.

    Raises:
        ConfigError: a region does not end, or begins twice.
    """
    found: dict[str, list[str]] = {}
    name: str | None = None
    for number, line in enumerate(text.split("\n"), 1):
        begin, end = _BEGIN.match(line), _END.match(line)
        if begin is None and end is None:
            if name is not None:
                found[name].append(line)
            continue
        if begin is not None and name is None and begin[1] not in found:
            name = begin[1]
            found[name] = []
        elif end is not None and end[1] == name:
            name = None
        else:
            raise ConfigError(
                f"{where}:{number}: {line.strip()!r} does not fit; each region begins and ends "
                "once. Put the lines of its markers back"
            )
    if name is not None:
        raise ConfigError(f"{where}: the region {name!r} does not end; put its last line back")
    return found


def filled(text: str, regions: dict[str, list[str]]) -> str:
    """Return a new file with what people wrote into the old one.

    Raises:
        ConfigError: it has no place for one of the regions, which is not empty.
    """
    lines: list[str] = []
    names = set()
    for line in text.split("\n"):
        lines.append(line)
        if begin := _BEGIN.match(line):
            names.add(begin[1])
            lines += regions.get(begin[1], [])
    if lost := [name for name, written in regions.items() if written and name not in names]:
        raise ConfigError(f"there is no region {lost[0]!r} any more, and it holds code of yours")
    return "\n".join(lines)


def sealed(text: str) -> str:
    """Write the digest of what was generated into a file's head."""
    return text.replace(f"{_MARK}?", _MARK + _digest(text), 1)


def manifest_of(text: str) -> str | None:
    """Return the manifest that a generated file goes with; None for a file of somebody's."""
    found = _HEAD.search(text)
    return None if found is None else found[2]


def is_changed(text: str, where: str) -> bool:
    """Tell whether something outside of the regions was changed since a file was generated."""
    found = _HEAD.search(text)
    kept(text, where)
    return found is None or found[1] != _digest(text)


def _digest(text: str) -> str:
    """Return the digest of a file but for its regions and the digest itself."""
    lines, inside = [], False
    for line in text.split("\n"):
        inside = inside and not _END.match(line)
        if not inside and not line.startswith(_MARK):
            lines.append(line)
        inside = inside or _BEGIN.match(line) is not None
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
