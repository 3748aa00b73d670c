"""How expressions are read, and how their parts combine."""

from __future__ import annotations

import pytest

from airflow_dataops.core.selection import IndirectSelection, parse_expression
from airflow_dataops.core.selection.grammar import parse_criterion
from airflow_dataops.core.selection.spec import ANY_DEPTH, MethodName
from airflow_dataops.errors import ConfigError
from tests.unit.selection.port import chosen

UP = {"ships", "stg_ships", "dim_ships.v2", "calls", "stg_calls"}


@pytest.mark.parametrize(
    ("text", "parents", "children", "at"),
    [
        ("x", 0, 0, False),
        ("+x", ANY_DEPTH, 0, False),
        ("x+", 0, ANY_DEPTH, False),
        ("2+x+3", 2, 3, False),
        ("0+x", 0, 0, False),
        (f"{'9' * 5000}+x", ANY_DEPTH, 0, False),
        ("@x", 0, 0, True),
        ("@+x", ANY_DEPTH, 0, True),
    ],
)
def test_graph_operators(text: str, parents: int, children: int, at: bool) -> None:
    """Plus signs, with a number of steps, before and after; an at sign before."""
    criterion = parse_criterion(text)
    assert criterion.value == "x"
    assert (criterion.parents, criterion.children) == (parents, children)
    assert criterion.childrens_parents is at


@pytest.mark.parametrize(
    ("text", "method", "value"),
    [
        ("stg_ships", MethodName.FQN, "stg_ships"),
        ("a.b.*", MethodName.FQN, "a.b.*"),
        ("models/a", MethodName.PATH, "models/a"),
        ("models/a.sql", MethodName.PATH, "models/a.sql"),
        ("a.SQL", MethodName.FILE, "a.SQL"),
        ("a.py", MethodName.FILE, "a.py"),
        ("tag:team:crew", MethodName.TAG, "team:crew"),
        ("+config.meta.a:b+", MethodName.CONFIG, "b"),
    ],
)
def test_method(text: str, method: MethodName, value: str) -> None:
    """A method stands before the first colon; bare words are paths, files or names."""
    criterion = parse_criterion(text)
    assert (criterion.method, criterion.value) == (method, value)


def test_depths_and_directions() -> None:
    """Each operator walks as far as it says."""
    alone = {"tests": False, "indirect": IndirectSelection.EMPTY}
    assert chosen("+fct_calls", **alone) == UP | {"fct_calls"}
    assert chosen("1+fct_calls", **alone) == {"dim_ships.v2", "stg_calls", "fct_calls"}
    assert chosen("fct_calls+", **alone) == {"fct_calls", "dashboard"}
    assert chosen("source:quay+1", **alone) == {"calls", "stg_calls"}
    assert chosen("1+dim_ships.v2+1", **alone) == {"stg_ships", "dim_ships.v2", "fct_calls"}
    assert chosen("@stg_calls", **alone) == UP | {"stg_calls", "fct_calls", "dashboard"}


def test_set_operators() -> None:
    """Spaces and list elements unite, commas intersect, exclude takes away."""
    assert chosen("rates fees") == chosen(["rates", "fees"]) == {"rates", "fees"}
    assert chosen("tag:daily,models/marts", tests=False) == {"dim_ships.v2"}
    assert chosen("tag:daily rates", "stg_* dim_ships") == {"rates"}
    assert chosen("  rates\n  fees ") == {"rates", "fees"}


def test_nothing_given_takes_everything() -> None:
    """Without select there is the whole project, less what is excluded."""
    assert chosen() - chosen(None, "rates") == {"rates"}


@pytest.mark.parametrize("select", ["", "  ", [], [""]])
def test_empty_select(select: str | list[str]) -> None:
    """A list that came out empty does not silently mean everything."""
    with pytest.raises(ConfigError, match="select is empty"):
        chosen(select)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("tags:daily", "no method 'tags'. Did you mean 'tag'"),
        ("colour:red", "The methods are access, config"),
        ("@x+", "exclude each other"),
        ("a,,b", "empty part"),
        ("a, b", "spaces separate"),
        ("+", "names nothing"),
        ("tag:", "names nothing"),
        ("config:view", "takes a path"),
        ("tag.daily:x", "takes no dots"),
    ],
)
def test_mistakes(expression: str, said: str) -> None:
    """The error quotes the expression and says what is meant."""
    with pytest.raises(ConfigError) as caught:
        parse_expression(expression)
    assert said in str(caught.value)
