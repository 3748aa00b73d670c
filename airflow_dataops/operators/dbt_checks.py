"""What dbt is asked to run is what it runs: listed before by `dbt ls`, read from its results after.

dbt's selectors name sets: `fqn:shop.orders` is the model `orders` and also all that is in a folder
`orders/`. And where the project is not the one of the manifest, dbt finds nothing, says so in its
log and ends well; or it builds into another target.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.core.assets import table_path
from airflow_dataops.core.model import Relation
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_dataops.core.model import Node

_MEANING = re.compile(r"[\s,+@\[\]*]")
_KEPT_FLAGS = frozenset({"--project-dir", "--profiles-dir", "--profile", "--target", "--vars"})
_KEYS = "unique_id resource_type database schema alias"
_GOOD = frozenset({"success", "pass", "warn"})


def selector_of(node: Node) -> str:
    """Select one node by all that dbt can tell it by: place, file and type.

    What dbt would read as more than a letter is any letter; `check_listed` sees to the rest.
    """
    parts = [f"fqn:{'.'.join(node.fqn)}", f"resource_type:{node.kind}"]
    if node.path:
        parts.append(f"file:{PurePosixPath(node.path).name}")
    return ",".join(map(harmless, parts))


def harmless(selector: str) -> str:
    """Replace what dbt would read as more than a letter by what stands for any letter."""
    return _MEANING.sub("?", selector)


def ls_command(command: Sequence[str], select: str, kind: str) -> list[str]:
    """Return the command that lists what another dbt command would run.

    Args:
        command: the other one, from the executable on.
        kind: dbt's type of the nodes.
    """
    listing = [command[0], "--quiet", "ls", "--select", select, "--resource-type", kind]
    listing += ["--output", "json", "--output-keys", _KEYS]
    for flag, value in pairwise(command):
        if flag in _KEPT_FLAGS:
            listing += [flag, value]
    return listing


def check_listed(lines: Iterable[str], nodes: Sequence[Node]) -> None:
    """Refuse to run what is not these very nodes, in the places that the manifest names.

    Args:
        lines: the output of `ls_command`.

    Raises:
        RunError: naming what differs, and what to do.
    """
    listed = {found["unique_id"]: found for found in map(_parsed, lines) if found}
    wanted = {node.id: node for node in nodes}
    if missing := sorted(wanted.keys() - listed.keys()):
        raise RunError(
            f"dbt finds no {', '.join(missing)} in its project: it is not the project that the "
            "manifest was made of. Deploy manifest and project together (DbtConfig.project_dir)."
        )
    if others := sorted(listed.keys() - wanted.keys()):
        raise RunError(
            f"dbt would also run {', '.join(others)}, which it cannot tell from "
            f"{', '.join(sorted(wanted))}; rename the file or the folder of one of them."
        )
    for id_, node in wanted.items():
        there = _relation(listed[id_])
        if node.relation is None or node.kind == "test" or there is None:
            continue
        if table_path(there, "duckdb") != table_path(node.relation, "duckdb"):
            raise RunError(
                f"{id_} is {node.relation} in the manifest, and dbt would build {there}: the "
                "profile's target is not the one that the manifest was made for. Make "
                "DbtConfig(profile, target, vars, env) those of the compile, or compile the "
                "manifest for this target."
            )


def check_results(target: Path, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Make sure that dbt ran these nodes, all of them and well; return their results.

    They are in the form of our own operators.

    Args:
        target: the folder that dbt writes to.

    Raises:
        RunError: it did not.
    """
    try:
        written: dict[str, Any] = json.loads(read_regular(target / "run_results.json"))
    except (OSError, ValueError) as error:
        raise RunError(f"dbt left no results of {', '.join(ids)}: {error}") from error
    status = {found["unique_id"]: found["status"] for found in written["results"]}
    if missing := [id_ for id_ in ids if id_ not in status]:
        raise RunError(f"dbt ended well and did not run {', '.join(missing)}.")
    if bad := {id_: each for id_, each in status.items() if each not in _GOOD}:
        raise RunError(f"dbt ended well, but {bad}.")
    return [
        {
            "node": found["unique_id"],
            "status": found["status"],
            "failures": found.get("failures"),
            "message": found.get("message"),
            "stored_in": found.get("relation_name"),
        }
        for found in written["results"]
    ]


def _parsed(line: str) -> dict[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return found if "unique_id" in found else None


def _relation(listed: Mapping[str, Any]) -> Relation | None:
    if not listed.get("alias"):
        return None
    return Relation(
        identifier=listed["alias"], schema=listed.get("schema"), database=listed.get("database")
    )
