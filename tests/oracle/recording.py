"""dbt's answers, recorded: the quick tests compare with them, the slow ones ask dbt again.

A recording is `tests/recorded/<name>.json.gz`. Its keys are hashes of all that an answer depends
on: the project's files, the data, the question, the versions of dbt and DuckDB. So an answer to
anything else is never taken for this one; where it is missing, the test fails and says how to
record it:

    python -m pytest --record-dbt path/to/test_file.py

A fixture with `params=WAYS` and `recording(request, name)` gives a file of tests both ways.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import re
from contextlib import contextmanager
from enum import Enum, auto
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.oracle.json_values import decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).parents[1] / "recorded"
WAYS = ("recorded", pytest.param("asked", marks=pytest.mark.slow))
"""Parameters of a fixture: compare with the recording; ask dbt, and compare that with it too."""

_VERSIONS = ("dbt-core", "dbt-adapters", "dbt-duckdb", "duckdb")
_OF_ONE_RUN = (
    "generated_at",
    "invocation_id",
    "invocation_started_at",
    "run_started_at",
    "user_id",
)


class Way(Enum):
    """What is done for an answer."""

    READ = auto()
    ASK = auto()
    WRITE = auto()


class Recording:
    """The answers of one file.

    Args:
        name: of the file.
        way: `READ` starts no dbt; `ASK` asks it and asserts that the answer is the recorded one;
            `WRITE` asks it and records the answer.
        command: records the answers.
        folder: what the folders of tests are in; errors of dbt name files there.
    """

    def __init__(self, name: str, way: Way, command: str, folder: Path) -> None:
        self.way = way
        # Where a test's project is; the name of the folder itself differs from run to run.
        self._there = re.compile(re.escape(str(folder)) + r"/[^/\s\"']+")
        self._file = FOLDER / f"{name}.json.gz"
        self._command = command
        self._recorded: dict[str, Any] = {} if way is Way.WRITE else self._read()

    def answer(self, question: Any, ask: Callable[[], Any]) -> Any:
        """Return the answer to a question.

        Args:
            question: all that the answer depends on, as values of JSON.
            ask: asks dbt; the answer is of values that `json_values` knows.
        """
        key = _key(question)
        if self.way is Way.READ:
            assert key in self._recorded, f"dbt was never asked this; to ask it: {self._command}"
            return decoded(self._recorded[key])
        asked = ask()
        found = self._without_folder(encoded(asked))
        if self.way is Way.WRITE:
            self._recorded[key] = found
        else:
            differs = _difference(self._recorded.get(key), found)
            says = f"dbt answers otherwise than recorded; if it is right: {self._command}"
            assert differs is None, f"{says}\n{differs}"
        return asked

    def _without_folder(self, found: Any) -> Any:
        return json.loads(self._there.sub("/project", json.dumps(found)))

    def close(self) -> None:
        """Write what is new."""
        if self.way is Way.WRITE:
            FOLDER.mkdir(exist_ok=True)
            text = json.dumps(self._recorded, sort_keys=True, separators=(",", ":"))
            self._file.write_bytes(gzip.compress(text.encode(), mtime=0))

    def _read(self) -> dict[str, Any]:
        if not self._file.exists():
            return {}
        found: dict[str, Any] = json.loads(gzip.decompress(self._file.read_bytes()))
        return found


@contextmanager
def recording(request: pytest.FixtureRequest, name: str) -> Iterator[Recording]:
    """Open the recording of a fixture with `params=WAYS`."""
    file = request.node.path.relative_to(request.config.rootpath)
    command = f"python -m pytest --record-dbt {file}"
    writes = request.config.option.record_dbt
    way = Way.ASK if request.param == "asked" else Way.WRITE if writes else Way.READ
    folder = request.getfixturevalue("tmp_path_factory").getbasetemp()
    opened = Recording(name, way, command, folder)
    yield opened
    opened.close()


def files_of(folder: Path) -> dict[str, str]:
    """Return the hash of each file of a dbt project, without what dbt left there."""
    left = ("target/", "logs/", "dbt_packages/")
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(names.items())
        if path.is_file() and not name.startswith(left) and ".duckdb" not in name
    }


def lasting(manifest: bytes, folder: Path) -> str:
    """Return a manifest without dbt's own macros and what is of one run or one machine.

    Args:
        folder: of the project, which its paths begin with.
    """
    found = json.loads(manifest.replace(str(folder).encode(), b"/project"))
    for name in _OF_ONE_RUN:
        found["metadata"].pop(name, None)
    if "dataops" not in found["metadata"]:  # ours have no code of macros, and those that count
        found["macros"] = {
            id_: macro
            for id_, macro in found["macros"].items()
            if macro["package_name"].partition("_")[0] != "dbt"
        }
    for listed in found.values():
        for each in listed.values() if isinstance(listed, dict) else ():
            # What is disabled is a list of all that have the id.
            for entry in each if isinstance(each, list) else [each]:
                if isinstance(entry, dict):
                    entry.pop("created_at", None)
                    _keep_order(entry)
    return json.dumps(found, sort_keys=True)


def _keep_order(entry: dict[str, Any]) -> None:
    """Keep the order of a contract's columns, as `airflow-dataops compile` does."""
    config = entry.get("config")
    if isinstance(config, dict) and (config.get("contract") or {}).get("enforced"):
        entry.setdefault("dataops_columns", list(entry.get("columns") or {}))


def _difference(recorded: Any, found: Any, path: str = "") -> str | None:
    """Say where two values of JSON begin to differ; None where they do not."""
    pairs: Any = ()
    if isinstance(recorded, dict) and isinstance(found, dict) and recorded.keys() == found.keys():
        pairs = ((name, recorded[name], found[name]) for name in recorded)
    elif isinstance(recorded, list) and isinstance(found, list) and len(recorded) == len(found):
        pairs = ((place, *pair) for place, pair in enumerate(zip(recorded, found, strict=True)))
    elif recorded != found:
        return f"{path}: recorded {str(recorded)[:2000]}, now {str(found)[:2000]}"
    told = (_difference(old, new, f"{path}/{name}") for name, old, new in pairs)
    return next((each for each in told if each), None)


def _key(question: Any) -> str:
    text = json.dumps([question, *_versions()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _versions() -> tuple[str, ...]:
    return tuple(f"{name} {version(name)}" for name in _VERSIONS)
