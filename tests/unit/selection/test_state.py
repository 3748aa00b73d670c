"""Comparing two states of a project, and looking at earlier runs."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from airflow_dataops.core.model import MacroState, NodeState, ProjectState
from airflow_dataops.core.selection import (
    FreshnessComparison,
    IndirectSelection,
    SelectionInputs,
    StateComparison,
)
from airflow_dataops.errors import ConfigError
from tests.unit.selection import port

MODELS = ("stg_ships", "stg_calls", "dim_ships.v1", "dim_ships.v2", "dim_ships.v10", "fct_calls")
OLD = NodeState(
    fqn="f", body="b", configs="c", relation="r", description="d", columns="k", contract=""
)
BEFORE = ProjectState(
    nodes=dict.fromkeys(port.PORT.nodes, OLD),
    macros={
        "macro.port.outer": MacroState(body="o", macros=("macro.port.inner",)),
        "macro.port.inner": MacroState(body="i"),
    },
)


def changed(select: str, before: ProjectState = BEFORE, **nodes: NodeState) -> set[str]:
    """Select from PORT where the named models have another state than before."""
    now = BEFORE.nodes | {f"model.port.{name}": state for name, state in nodes.items()}
    macros = BEFORE.macros | {"macro.port.inner": MacroState(body="other")}
    states = StateComparison(now=ProjectState(nodes=now, macros=macros), before=before)
    return port.chosen(
        select, inputs=SelectionInputs(state=states), indirect=IndirectSelection.EMPTY
    )


@pytest.mark.parametrize("part", ["body", "configs", "relation", "contract"])
def test_one_part_changed(part: str) -> None:
    """A changed part selects the node by its own name, and by `modified`."""
    state = msgspec.structs.replace(OLD, **{part: "other"})
    assert changed(f"state:modified.{part}", stg_ships=state) == {"stg_ships"}
    assert changed("state:modified", stg_ships=state) == {"stg_ships"}
    assert "stg_ships" not in changed("state:unmodified", stg_ships=state)


@pytest.mark.parametrize("part", ["fqn", "rest"])
def test_parts_without_a_name(part: str) -> None:
    """A moved file or a new latest version counts as modified, under no other name."""
    state = msgspec.structs.replace(OLD, **{part: "other"})
    assert changed("state:modified", stg_ships=state) == {"stg_ships"}
    with pytest.raises(ConfigError, match="no node is in that state"):
        changed("state:modified.body", stg_ships=state)


def test_descriptions_count_where_they_are_persisted() -> None:
    """No node of PORT persists its description."""
    state = msgspec.structs.replace(OLD, description="other")
    with pytest.raises(ConfigError, match="no node is in that state"):
        changed("state:modified state:modified.persisted_descriptions", stg_ships=state)


def test_a_macro_below_a_macro() -> None:
    """`inner` changed, `outer` calls it, and the model calls `outer`."""
    state = msgspec.structs.replace(OLD, macros=("macro.port.outer",))
    assert changed("state:modified.macros", stg_ships=state) == {"stg_ships"}
    assert changed("state:modified", stg_ships=state) == {"stg_ships"}


def test_new_nodes() -> None:
    """dbt holds new models for modified, and new sources and exposures for new alone."""
    fresh = {"model.port.stg_ships", "source.port.quay.calls", "exposure.port.dashboard"}
    before = ProjectState(
        nodes={id_: state for id_, state in BEFORE.nodes.items() if id_ not in fresh},
        macros=BEFORE.macros,
    )
    assert changed("state:new", before) == {"stg_ships", "calls", "dashboard"}
    assert changed("state:modified", before) == {"stg_ships"}
    assert changed("state:old", before).isdisjoint({"stg_ships", "calls", "dashboard"})


def test_state_with_graph_operators() -> None:
    """What changed, and all below it."""
    state = msgspec.structs.replace(OLD, body="other")
    assert changed("state:modified+", stg_calls=state) == {
        "stg_calls",
        "fct_calls",
        "dashboard",
        "assert_calls",
        "calls_have_ships",
    }


def test_a_generic_test_is_its_configuration() -> None:
    """dbt ignores the generated body of a generic test."""
    unique = "test.port.unique_stg_ships_ship_id"
    now = BEFORE.nodes | {unique: msgspec.structs.replace(OLD, body="other")}
    states = StateComparison(now=msgspec.structs.replace(BEFORE, nodes=now), before=BEFORE)
    inputs = SelectionInputs(state=states)
    with pytest.raises(ConfigError, match="no node is in that state"):
        port.chosen("state:modified", inputs=inputs)
    assert port.chosen("state:modified.body", inputs=inputs) == {"unique_stg_ships_ship_id"}


@pytest.mark.parametrize("value", ["changed", "modified.everything"])
def test_unknown_state(value: str) -> None:
    """The error lists the states."""
    with pytest.raises(ConfigError, match=r"state is one of new, old, modified, unmodified"):
        changed(f"state:{value}")


def test_state_of_another_project() -> None:
    """A present state that lacks nodes of the project would make all of it look unchanged."""
    strangers = StateComparison(now=ProjectState(nodes={}), before=BEFORE)
    with pytest.raises(ConfigError, match="Read it from the same manifest"):
        port.chosen("state:new", inputs=SelectionInputs(state=strangers))


@pytest.mark.parametrize("expression", ["state:new", "result:error", "source_status:fresher"])
def test_missing_inputs(expression: str) -> None:
    """Each of these looks at something besides the project, and says what is missing."""
    with pytest.raises(ConfigError, match="Name "):
        port.chosen(expression)


def test_results() -> None:
    """Nodes by how they ended in an earlier run."""
    results = {"model.port.stg_ships": "error", "model.port.fct_calls": "skipped"}
    inputs = SelectionInputs(results=results)
    only = {"tests": False, "inputs": inputs}
    assert port.chosen("result:error", **only) == {"stg_ships"}
    assert port.chosen("result:error result:skipped", **only) == {"stg_ships", "fct_calls"}
    with pytest.raises(ConfigError, match="did you mean 'error'"):
        port.chosen("result:eror", **only)
    # What went wrong, in whichever way: nothing has to have gone wrong in each of them.
    assert port.chosen("result:error result:fail result:warn", **only) == {"stg_ships"}
    with pytest.raises(ConfigError, match="'result:fail' matches nothing"):
        port.chosen("result:fail result:warn", **only)
    with pytest.raises(ConfigError, match="'tag:none' matches nothing"):
        port.chosen("result:error tag:none", **only)


def test_fresher_sources() -> None:
    """Loaded since the earlier look, or not seen by it."""
    early, late = datetime(2026, 1, 1), datetime(2026, 1, 2)
    ships, calls = "source.port.register.ships", "source.port.quay.calls"

    def fresher(now: dict[str, datetime], before: dict[str, datetime]) -> set[str]:
        freshness = FreshnessComparison(now=now, before=before)
        inputs = SelectionInputs(freshness=freshness)
        return port.chosen("source_status:fresher+1", inputs=inputs, tests=False)

    assert fresher({ships: late, calls: late}, {ships: early, calls: late}) == {
        "ships",
        "stg_ships",
    }
    assert fresher({calls: early}, {ships: early}) == {"calls", "stg_calls"}
