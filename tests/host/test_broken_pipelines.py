"""Broken and hostile pipelines: each is told at its line, none crashes or loses a neighbour."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops import load_dags
from airflow_dataops.adapters.pipeline_lint import lint_file
from airflow_dataops.adapters.static_signatures import StaticSignatures
from tests.host.pipelines_examples import CASES as EXAMPLES
from tests.host.pipelines_seeds import CASES as SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.pipelines.faults import Fault

ROOT = Path(__file__).parents[2]
SIGNATURES = StaticSignatures([ROOT])
GOOD = {name: text.strip("\n") for name, (text, _) in (SEEDS | EXAMPLES).items()}
VALUES = {
    "operator": "no_such_operator",
    "schedule": '"61 * * * *"',
    "start_date": "2024-02-31",
    "catchup": "perhaps",
    "max_active_runs": "many",
    "trigger_rule": "all_sucess",
    "retry_delay": "5 parsecs",
    "depends_on": "[nobody]",
    "tags": "sales",
    "python_callable": "no-path",
    "default_args": "[1, 2]",
    "tasks": "nothing",
    "dag_id": "a/b",
}
_KEY = re.compile(r"^( *)([a-z_]+):( .*|)$")
FREE = {"params", "parameters", "for_each", "op_kwargs"}


def mutations() -> Iterator[tuple[str, int, str]]:
    """Yield broken texts, each with the line that is wrong."""
    for name, text in GOOD.items():
        lines = text.split("\n")
        for number, line in enumerate(lines, 1):
            match = _KEY.match(line)
            if match is None or (indent := len(match[1])) not in (0, 4):
                continue
            if indent and not any(each.strip() == "tasks:" for each in lines[:number]):
                continue
            key = match[2]

            def changed(new: str, at: int = number, all_lines: list[str] = lines) -> str:
                return "\n".join([*all_lines[: at - 1], new, *all_lines[at:]])

            if key not in FREE and key != "tasks":
                yield f"{name}: {key}", number, changed(line.replace(key, f"{key}x", 1))
            if key in VALUES and match[3] and "&" not in match[3]:
                yield f"{name}: {key} =", number, changed(f"{match[1]}{key}: {VALUES[key]}")
            if match[3] and "&" not in match[3]:
                yield f"{name}: {key} twice", number + 1, changed(f"{line}\n{line}")
            yield f"{name}: {key} tab", number, changed(f"\t{line}")


MUTATIONS = list(mutations())


def _lint(folder: Path, text: str | bytes, name: str = "a") -> list[Fault]:
    path = folder / f"{name}.pipeline.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return lint_file(path, folder, SIGNATURES).faults


def _is_crashed(found: list[Fault]) -> bool:
    return any("It cannot be read" in fault.message for fault in found)


def test_each_of_200_broken_files_is_told_at_its_line(tmp_path: Path) -> None:
    assert len(MUTATIONS) >= 200
    for text in GOOD.values():
        assert not _lint(tmp_path, text)
    missed = []
    for what, line, text in MUTATIONS:
        found = _lint(tmp_path, text)
        if line not in {fault.place.line for fault in found} or _is_crashed(found):
            missed.append((what, line, [str(fault) for fault in found][:3]))
    assert not missed


def test_broken_files_lose_no_neighbour(tmp_path: Path) -> None:
    folder = tmp_path / "pipelines"
    folder.mkdir()
    for number, (_, _, text) in enumerate(MUTATIONS[::4]):
        (folder / f"bad_{number}.pipeline.yaml").write_text(text)
    (folder / "good.pipeline.yaml").write_text("dag_id: the_good\ntasks: {a: {operator: empty}}")
    namespace: dict[str, Any] = {"__file__": str(tmp_path / "dag.py")}
    dags = load_dags("pipelines", namespace)
    assert "the_good" in {dag.dag_id for dag in dags}
    with pytest.raises(ValueError, match="did not load") as error:
        namespace["dataops_errors_0"].validate()
    for number in range(len(MUTATIONS[::4])):
        assert f"bad_{number}.pipeline.yaml:" in str(error.value)


HOSTILE = {
    "bomb": (
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{c}: &{c} [{', '.join([f'*{p}'] * 10)}]\n"
            for p, c in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "more than",
    ),
    "deep": ("tasks: " + "[" * 100_000, "levels deep"),
    "deep_blocks": ("- " * 60_000, "levels deep"),
    "itself": ("tasks: &a {b: *a}", "no anchor"),
    "object": ("tasks: !!python/object/apply:os.system ['touch {touched}']", "plain data"),
    "name": ("description: !!python/name:os.system", "plain data"),
    "binary": ("description: !!binary aGVsbG8=", "plain data"),
    "twice": ("tasks: {a: {operator: empty}}\ntasks: {}", "there twice"),
    "two": ("tasks: {a: {operator: empty}}\n---\ntasks: {}", "one document"),
    "empty": ("", "Expected a mapping"),
    "list": ("[1, 2]", "Expected a mapping"),
    "latin": (b"description: caf\xe9", "UTF-8"),
    "nul": (b"description: a\0b", "no YAML"),
    "digits": (f"max_active_runs: {'9' * 5000}", "too large"),
    "norway": ("description: no", "quote it"),
    "octal": ("description: 0777", "quote it"),
    "february": ("start_date: 2024-02-30\ntasks: {a: {operator: empty}}", "no date"),
    "year": ("start_date: 9999-12-31\ntasks: {a: {operator: empty}}", "Expected a date"),
    "order": (
        "start_date: 2024-02-02\nend_date: 2024-02-01\ntasks: {a: {operator: empty}}",
        "before the start",
    ),
    "leaves": ("tasks: {a: {operator: sql, sql: {$file: ../secret.sql}}}", "out of the folder"),
    "absolute": ("tasks: {a: {operator: sql, sql: {$file: /etc/passwd}}}", "relative"),
    "extends": ("extends: ../../other.yaml\ntasks: {a: {operator: empty}}", "out of the folder"),
    "link": ("tasks: {a: {operator: sql, sql: {$file: link.sql}}}", "out of the folder"),
    "manifest": (
        "tasks: {a: {operator: dbt_task_group, manifest: ../x/manifest.json, conn_id: w}}",
        "out of the folder",
    ),
    "jinja": (
        'for_each: [{t: "{{ var.value.key }}"}]\ndag_id: a\ntasks: {a: {operator: empty}}',
        "template of Jinja",
    ),
    "sql": (
        'for_each: [{t: "x; DROP TABLE y"}]\ndag_id: a\n'
        'tasks: {a: {operator: sql, sql: "SELECT * FROM ${{ t }}"}}',
        "part of a text",
    ),
    "secret": ("tasks: {a: {operator: empty}}\ndefault_args: {api_key: abcdef}", "holds a secret"),
    "dag_id": ('dag_id: "../../x"\ntasks: {a: {operator: empty}}', "letters, digits"),
    "task_id": ('tasks: {"a b": {operator: empty}}', "names no task"),
    "code": ("tasks: {a: {operator: \"os.system('x')\"}}", "no operator"),
    "family": ("for_each: {a: [1, 2], b: [1, 2]}\ntasks: {a: {operator: empty}}", "dag_id"),
    "too_many": (
        "for_each: {a: &l [" + "1, " * 100 + "], b: *l}\ndag_id: x\ntasks: {a: {operator: empty}}",
        "2000 DAGs at most",
    ),
    "schedule": ("schedule: {evry: 1h}\ntasks: {a: {operator: empty}}", "'every'?"),
    "no time between runs": ("schedule: {every: 0m}\ntasks: {a: {operator: empty}}", "more than 0"),
    "sla": ('tasks: {a: {operator: empty, sla: {by: "25:00"}}}', "no time of a day"),
    "groups": (
        "tasks:\n  a: {tasks: {x: {operator: empty}, y: {operator: empty, depends_on: b.x}}}\n"
        "  b: {tasks: {x: {operator: empty}, y: {operator: empty, depends_on: a.x}}}",
        "in a circle",
    ),
    "same_id": (
        "tasks:\n  a: {operator: empty}\n  g: {prefix: false, tasks: {a: {operator: empty}}}",
        "another task or group",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(tmp_path: Path, name: str) -> None:
    text, words = HOSTILE[name]
    folder, touched = tmp_path / "folder", tmp_path / "touched"
    folder.mkdir()
    (tmp_path / "secret.sql").write_text("SELECT 1")
    (folder / "link.sql").symlink_to(tmp_path / "secret.sql")
    if isinstance(text, str):
        text = text.replace("{touched}", str(touched))
    found = _lint(folder, text)
    assert any(words in fault.message for fault in found), found
    assert not _is_crashed(found)
    assert not touched.exists()


def test_a_file_of_200_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.pipeline.yaml"
    with path.open("wb") as file:
        file.truncate(200 * 1024**2)
    code = dedent(
        f"""
        import resource, sys
        from pathlib import Path
        from airflow_dataops.adapters.pipeline_lint import lint_file
        from airflow_dataops.adapters.static_signatures import StaticSignatures
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        path = Path({str(path)!r})
        (fault,) = lint_file(path, path.parent, StaticSignatures()).faults
        assert "larger than 2 MB" in fault.message, fault
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000
        """
    )
    subprocess.run([sys.executable, "-c", code], check=True)
