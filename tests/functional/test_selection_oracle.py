"""The oracle of selection is `dbt ls`: the same project, the same expression, the same nodes.

Compared are the kinds of nodes that a `Project` has. Where dbt warns of a part that matches
nothing we must warn or raise; what dbt refuses, we must refuse. The lists of arguments are asked
of the recording; what is drawn or depends on other projects is asked of dbt, in slow tests.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from airflow_dataops.cli.app import app
from airflow_dataops.core.manifests import read_state
from airflow_dataops.core.model import ModelSpec, NodeKind
from airflow_dataops.core.plan import TaskKind
from airflow_dataops.core.selection import (
    FreshnessComparison,
    IndirectSelection,
    NodeSelector,
    OnEmpty,
    SelectionInputs,
    SelectionWarning,
    StateComparison,
    load_selectors,
    read_run_results,
    read_source_freshness,
)
from airflow_dataops.errors import ConfigError
from airflow_dataops.planning.dbt_config import DbtConfig
from airflow_dataops.planning.manifest import plan_manifest
from tests.functional import harbour_changes, harbour_selections, selections
from tests.functional.dbt_ls import DbtProject, copy_project
from tests.oracle.recording import WAYS, Recording, recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from airflow_dataops.core.model import Node
    from airflow_dataops.planning.arguments import PlanArguments

ROOT = Path(__file__).parents[2]
HARBOUR = ROOT / "tests/projects/harbour"
OTHERS = [ROOT / "demo/shop", ROOT / "tests/projects/atelier"]

_PARSER = argparse.ArgumentParser()
_PARSER.add_argument("--select", nargs="+", action="extend")
_PARSER.add_argument("--exclude", nargs="+", action="extend")
_PARSER.add_argument("--selector")
_PARSER.add_argument("--indirect-selection", default="eager", type=IndirectSelection)


def ours(selector: NodeSelector, arguments: str) -> tuple[frozenset[str] | None, bool]:
    """Answer a line of arguments as `dbt ls` would, and say whether we warned."""
    options = _PARSER.parse_args(shlex.split(arguments))
    select = [f"selector:{options.selector}"] if options.selector else options.select
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            ids = selector.select(
                select,
                options.exclude,
                indirect=options.indirect_selection,
                on_empty=OnEmpty.WARN,
            )
        except ConfigError:
            return None, False
    return ids, any(each.category is SelectionWarning for each in caught)


def agree(
    dbt: DbtProject, selector: NodeSelector, arguments: str, state: DbtProject | None = None
) -> bool:
    """Compare dbt's answer and ours; return whether both found something without a warning."""
    theirs = dbt.ls(*shlex.split(arguments), state=state)
    ids, warned = ours(selector, arguments)
    if theirs.ids is None:
        assert not ids, f"{arguments}: dbt refuses it"
        return False
    if ids is None:
        assert not theirs.ids, f"{arguments}: we refuse it"
        return False
    difference = f"only dbt: {theirs.ids - ids}, only we: {ids - theirs.ids}"
    assert ids == theirs.ids, f"{arguments}: {difference}"
    assert warned or not theirs.warned, f"{arguments}: dbt warns"
    return bool(ids) and not warned


@pytest.fixture(scope="module", params=WAYS)
def recorded(request: pytest.FixtureRequest) -> Iterator[Recording]:
    with recording(request, "selection") as opened:
        yield opened


@pytest.fixture(scope="module")
def harbour(recorded: Recording, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    folder = copy_project(HARBOUR, tmp_path_factory.mktemp("before") / "harbour")
    return DbtProject(folder, recorded)


@pytest.fixture(scope="module")
def selector(harbour: DbtProject) -> NodeSelector:
    """Selects from harbour, with the named selectors of its manifest."""
    return NodeSelector(harbour.project)


@pytest.mark.parametrize("arguments", ["", *selections.lines(harbour_selections.HARBOUR)])
def test_harbour(harbour: DbtProject, selector: NodeSelector, arguments: str) -> None:
    """Each of these matches something."""
    assert agree(harbour, selector, arguments)


@pytest.mark.parametrize("arguments", selections.lines(harbour_selections.HARBOUR_EMPTY))
def test_what_matches_nothing(harbour: DbtProject, selector: NodeSelector, arguments: str) -> None:
    """Each of these has a part that matches nothing, or is wrong: never silently."""
    assert not agree(harbour, selector, arguments)


def test_selectors_from_their_file(harbour: DbtProject, selector: NodeSelector) -> None:
    """selectors.yml itself says the same as the manifest, which dbt agreed with above."""
    selectors = load_selectors((HARBOUR / "selectors.yml").read_text())
    from_file = NodeSelector(harbour.project, SelectionInputs(selectors=selectors))
    for name in selectors.definitions:
        assert from_file.select(f"selector:{name}") == selector.select(f"selector:{name}")
    assert from_file.select() == selector.select("selector:united")


@pytest.fixture(scope="module")
def changed(
    recorded: Recording, harbour: DbtProject, tmp_path_factory: pytest.TempPathFactory
) -> DbtProject:
    """Harbour after a day's work, with what earlier runs left beside both."""
    folder = copy_project(HARBOUR, tmp_path_factory.mktemp("now") / "harbour")
    harbour_changes.change(folder)
    now = DbtProject(folder, recorded)
    harbour_changes.leave_results(before=harbour.target, now=now.target)
    return now


@pytest.fixture(scope="module")
def comparing(harbour: DbtProject, changed: DbtProject) -> NodeSelector:
    """Selects from the changed project, compared with harbour."""
    before, now = harbour.target, changed.target
    ended = before / "run_results.json"
    inputs = SelectionInputs(
        state=StateComparison(
            now=read_state(changed.manifest, source="now"),
            before=read_state(harbour.manifest, source="before"),
        ),
        results=read_run_results(ended.read_bytes(), source=ended.name),
        freshness=FreshnessComparison(
            now=_loaded(now),
            before=_loaded(before),
        ),
    )
    return NodeSelector(changed.project, inputs)


def _loaded(folder: Path) -> dict[str, datetime]:
    return read_source_freshness((folder / "sources.json").read_bytes(), source="sources.json")


@pytest.mark.parametrize("arguments", selections.lines(harbour_selections.STATES))
def test_states(
    harbour: DbtProject, changed: DbtProject, comparing: NodeSelector, arguments: str
) -> None:
    """What changed, what failed and what is fresher: each of these matches something."""
    assert agree(changed, comparing, arguments, state=harbour)


@pytest.mark.parametrize("arguments", selections.lines(harbour_selections.STATES_EMPTY))
def test_states_that_match_nothing(
    harbour: DbtProject, changed: DbtProject, comparing: NodeSelector, arguments: str
) -> None:
    """Never silently."""
    assert not agree(changed, comparing, arguments, state=harbour)


@pytest.fixture(scope="module")
def folders(
    harbour: DbtProject, changed: DbtProject, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """What a DAG is told of: the manifest, and the folder with what earlier runs left.

    They are copies: dbt itself is asked about what it wrote.
    """
    places = []
    for project in (changed, harbour):
        place = tmp_path_factory.mktemp("told")
        shutil.copytree(project.target, place, dirs_exist_ok=True)
        (place / "manifest.json").write_bytes(project.manifest)
        places.append(place)
    now, before = places
    return now / "manifest.json", before


# A DAG takes tests eagerly.
EAGER = [each for each in selections.lines(harbour_selections.STATES) if "indirect" not in each]


@pytest.mark.parametrize("arguments", EAGER)
def test_states_of_a_dag(
    harbour: DbtProject, changed: DbtProject, folders: tuple[Path, Path], arguments: str
) -> None:
    """`state=` of a DAG, and `--state` of `plan`: the tasks are those of what dbt lists."""
    options = _PARSER.parse_args(shlex.split(arguments))
    manifest, state = folders
    listed = changed.ls(*shlex.split(arguments), state=harbour).ids or frozenset()
    asked: PlanArguments = {"select": options.select, "exclude": options.exclude, "state": state}
    expected = {id_ for id_ in listed if _is_run(changed.project.nodes[id_])}
    if listed and not expected:
        # Of what dbt lists nothing runs, such as exposures alone: that is told, and no DAG.
        asked["on_empty"] = "warn"
    dbt = DbtConfig(project_dir="p", profile="p", target="t")
    planned = plan_manifest(manifest, "w", {**asked, "engine": "dbt", "dbt": dbt})
    tasks = planned.plan.tasks().values()
    run = {id_ for task in tasks if task.kind is not TaskKind.FRESHNESS for id_ in task.nodes}
    assert run == expected
    shown = CliRunner().invoke(
        app, ["plan", str(manifest), "--state", str(state), *_flags(options)]
    )
    assert all(id_ in shown.stdout for id_ in run), shown.output


def _is_run(node: Node) -> bool:
    if isinstance(node.spec, ModelSpec):
        return node.spec.materialized != "ephemeral"
    return node.kind in (NodeKind.SEED, NodeKind.SNAPSHOT, NodeKind.TEST)


def _flags(options: argparse.Namespace) -> list[str]:
    given = [("--select", each) for each in options.select or ()]
    given += [("--exclude", each) for each in options.exclude or ()]
    return ["--engine", "dbt", *(word for pair in given for word in pair)]


@pytest.fixture(scope="module", params=OTHERS, ids=lambda path: path.name)
def other(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    folder: Path = request.param
    return DbtProject(copy_project(folder, tmp_path_factory.mktemp("other") / folder.name))


@pytest.mark.slow
def test_other_projects(other: DbtProject) -> None:
    """Projects that were not written for selection, asked about what they have."""
    selector = NodeSelector(other.project)
    expressions = list(selections.typical(other.project))
    found = [agree(other, selector, arguments) for arguments in expressions]
    assert len(found) > 60
    assert sum(found) > len(found) / 2


@pytest.mark.slow
def test_random_expressions(tmp_path: Path) -> None:
    """Combinations that nobody thought of."""
    asked = DbtProject(copy_project(HARBOUR, tmp_path / "harbour"))
    selector = NodeSelector(asked.project)
    for arguments in selections.drawn(asked.project, count=1_000, seed=11):
        agree(asked, selector, arguments)


@pytest.mark.slow
def test_random_expressions_on_other_projects(other: DbtProject) -> None:
    """The same, where tests read from many models."""
    selector = NodeSelector(other.project)
    for arguments in selections.drawn(other.project, count=500, seed=12):
        agree(other, selector, arguments)
