"""Named selectors, from selectors.yml and as a manifest carries them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from airflow_dataops.core.selection import (
    IndirectSelection,
    SelectionInputs,
    load_selectors,
    parse_selectors,
    select_nodes,
)
from airflow_dataops.errors import ConfigError
from tests.unit.selection.port import PORT, chosen

NIGHTLY = """
selectors:
  - name: daily
    definition: tag:daily
  - name: nightly
    default: true
    definition:
      union:
        - method: selector
          value: daily
        - {method: fqn, value: fct_calls, parents: true, parents_depth: 1}
        - exclude:
            - dim_ships
            - resource_type: test
"""


def named(definition: Any, select: str = "selector:it", **options: Any) -> set[str]:
    """Select by one definition."""
    selectors = parse_selectors({"selectors": [{"name": "it", "definition": definition}]})
    options = {"indirect": IndirectSelection.EMPTY, "tests": False} | options
    return chosen(select, inputs=SelectionInputs(selectors=selectors), **options)


def test_default_selector() -> None:
    """It holds where nothing else is said, and yields to select and to exclude."""
    inputs = SelectionInputs(selectors=load_selectors(NIGHTLY))
    nightly = {"stg_ships", "stg_calls", "fct_calls", "ships_are_trimmed"}
    assert chosen(inputs=inputs) == nightly
    assert chosen("selector:nightly", inputs=inputs) == nightly
    assert chosen("selector:nightly", "selector:daily", inputs=inputs, tests=False) == {"fct_calls"}
    assert chosen("rates", inputs=inputs) == {"rates"}
    assert "rates" in chosen(None, "fees", inputs=inputs)


def test_the_projects_own_selectors() -> None:
    """A manifest carries them by name, with texts already taken apart."""
    definition = {"method": "tag", "value": "hourly", "children": True, "children_depth": "1"}
    own = {"hourly": {"name": "hourly", "definition": definition, "description": ""}}
    project = msgspec.structs.replace(PORT, selectors=own)
    assert select_nodes(project, "selector:hourly", "test_type:data source:*") == {
        "model.port.stg_ships",
        "unit_test.port.ships_are_trimmed",
    }


def test_a_selector_of_the_manifest_that_cannot_be_read() -> None:
    """It is in nobody's way until it is used."""
    odd = {"method": "tag", "value": "daily", "exclude": ["stg_calls"]}
    own = {
        "odd": {"name": "odd", "definition": {"union": [odd]}},
        "daily": {"name": "daily", "definition": "tag:daily", "default": True},
    }
    project = msgspec.structs.replace(PORT, selectors=own)
    assert select_nodes(project) == select_nodes(project, "selector:daily")
    with pytest.raises(ConfigError, match="project 'port', selector 'odd': union takes one"):
        select_nodes(project, "selector:odd")


def test_graph_operators_on_a_selector() -> None:
    """A named selector is walked from like any other criterion."""
    assert named("fct_calls", "1+selector:it") == {"fct_calls", "dim_ships.v2", "stg_calls"}


@pytest.mark.parametrize(
    ("definition", "names"),
    [
        ("fct_calls+", {"fct_calls", "dashboard"}),
        ({"tag": "hourly"}, {"ships"}),
        ({"config.meta.pii": False}, {"stg_ships"}),
        ({"method": "config.meta.pii", "value": "false"}, {"stg_ships"}),
        ({"method": "fqn", "value": "rates", "children": True}, {"rates", "fees"}),
        ({"method": "fqn", "value": "rates", "children": True, "exclude": ["fees"]}, {"rates"}),
        (
            {"method": "fqn", "value": "fees", "parents": True, "parents_depth": 0},
            {"rates", "fees"},
        ),
        ({"method": "fqn", "value": "fees", "childrens_parents": True}, {"rates", "fees"}),
        ({"intersection": [{"tag": "daily"}, "path:models/marts"]}, {"dim_ships.v2"}),
        ({"union": ["rates", {"union": ["fees"]}]}, {"rates", "fees"}),
    ],
)
def test_definitions(definition: Any, names: set[str]) -> None:
    """Texts, pairs, full mappings and set operators, nested."""
    assert named(definition) == names


def test_indirect_selection_of_one_criterion() -> None:
    """It beats the caller's."""
    definition = {"method": "fqn", "value": "stg_ships", "indirect_selection": "cautious"}
    eager, empty = IndirectSelection.EAGER, IndirectSelection.EMPTY
    assert "calls_have_ships" not in named(definition, indirect=eager, tests=True)
    assert "unique_stg_ships_ship_id" in named(definition, indirect=empty, tests=True)


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"union": ["a"], "exclude": ["b"]}, "union stands alone, without exclude"),
        ({"union": [{"exclude": ["a"]}, {"exclude": ["b"]}]}, "takes one exclude"),
        ({"union": [{"method": "tag", "value": "a", "exclude": ["b"]}]}, "takes one exclude"),
        ({"union": "a"}, "union must be a list"),
        ({"tags": "daily"}, "no method 'tags'"),
        ({"method": "tag"}, "no method 'method'"),
        ({"method": "tag", "value": "a", "children_dept": 1}, "expected one key"),
        ({"method": "selector", "value": "later"}, "no selector 'later' above it"),
        ("selector:it", "no selector 'it' above it"),
        (["a"], "expected a text or a mapping"),
        ("{{ var('select') }}", "is a template"),
        (
            {"method": "tag", "value": "a", "indirect_selection": "shy"},
            "'shy' is not a valid IndirectSelection",
        ),
        ({"method": "selector", "value": "it", "parents": True}, "stands alone"),
    ],
)
def test_mistakes(definition: Any, said: str) -> None:
    """The error names the selector it is in."""
    with pytest.raises(ConfigError) as caught:
        named(definition)
    assert said in str(caught.value)
    assert "selectors.yml, selector 'it'" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("selectors: [", "is not YAML"),
        ("- a", "must be a mapping"),
        ("selectors: [{name: a}]", "needs a name and a definition"),
        ("selectors: !!python/object/apply:os.getcwd []", "is not YAML"),
        (
            "selectors: [{name: a, definition: x, default: true},"
            " {name: b, definition: y, default: true}]",
            "'a' is the default already",
        ),
    ],
)
def test_files_that_are_none(text: str, said: str) -> None:
    """Broken, hostile and contradictory files."""
    with pytest.raises(ConfigError, match=said):
        load_selectors(text)


def test_unknown_selector() -> None:
    """The error lists those there are."""
    inputs = SelectionInputs(selectors=load_selectors(NIGHTLY))
    with pytest.raises(ConfigError, match="Known selectors: daily, nightly"):
        chosen("selector:weekly", inputs=inputs)


def test_a_named_selector_that_matches_nothing() -> None:
    """The condition at fault is found inside of the definition."""
    with pytest.raises(ConfigError, match=r"'selector:it' matches nothing .*'tag:dayly': close to"):
        named({"intersection": ["tag:dayly", "stg_ships"]})
