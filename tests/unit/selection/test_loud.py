"""Selecting nothing is loud, and says why."""

from __future__ import annotations

import pytest

from airflow_dataops.core.model import Project
from airflow_dataops.core.selection import OnEmpty, SelectionWarning, select_nodes
from airflow_dataops.errors import ConfigError
from tests.unit.selection.port import chosen


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("stg_shpis", "'stg_shpis' matches nothing (close to it: stg_ships"),
        ("tag:dayly", "close to it: daily)"),
        ("tag:DAILY", "close to it: daily)"),
        ("source:registre", "close to it: register"),
        ("path:models/stagin", "close to it: models/staging"),
        ("config.materialized:views", "close to it: view)"),
        ("test_name:uniqe", "close to it: unique)"),
        ("file:stg_shps.sql", "close to it: stg_ships.sql"),
        ("group:crews", "close to it: crew)"),
        ("access:publik", "close to it: public)"),
        ("package:toll", "close to it: tolls)"),
        ("config.cluster_by:day", "no node has config.cluster_by 'day', nor anything like it"),
    ],
)
def test_what_is_close(expression: str, said: str) -> None:
    """Values like the one that matched nothing are proposed."""
    with pytest.raises(ConfigError) as caught:
        chosen(expression)
    assert said in str(caught.value)


def test_all_parts_that_match_nothing_are_named() -> None:
    """One error carries every dead part, of exclude too, and what can be done."""
    with pytest.raises(ConfigError) as caught:
        chosen("rates tag:dayly", "tag:oops")
    text = str(caught.value)
    assert "'tag:dayly' matches nothing" in text
    assert "'tag:oops' matches nothing" in text
    assert "on_empty='warn'" in text


def test_the_dead_part_of_an_intersection() -> None:
    """Of an intersection, the condition at fault is named, not its neighbour."""
    with pytest.raises(ConfigError) as caught:
        chosen("tag:daily,path:modles")
    assert "('path:modles': close to it: models)" in str(caught.value)
    assert "'tag:daily':" not in str(caught.value)


def test_an_intersection_of_strangers() -> None:
    """Two conditions may each match, and have nothing in common."""
    with pytest.raises(ConfigError, match="no node is in all of them"):
        chosen("tag:daily,resource_type:seed")


def test_everything_excluded() -> None:
    """An exclude that takes away all of it is a mistake too."""
    with pytest.raises(ConfigError, match="leaves nothing"):
        chosen("rates", "resource_type:seed")


def test_warning_by_choice() -> None:
    """The rest of the selection holds; the warning says the same as the error."""
    with pytest.warns(SelectionWarning, match="'tag:dayly' matches nothing"):
        assert chosen("rates tag:dayly", on_empty=OnEmpty.WARN) == {"rates"}


def test_options_may_be_plain_text() -> None:
    """They may come from a file; a misspelt one is named."""
    with pytest.warns(SelectionWarning):
        assert chosen("rates tag:dayly", on_empty="warn", indirect="empty") == {"rates"}
    with pytest.raises(ConfigError, match="on_empty is one of error, warn, not 'ignore'"):
        chosen("rates", on_empty="ignore")
    with pytest.raises(ConfigError, match="indirect is one of eager, cautious"):
        chosen("rates", indirect="lazy")


def test_an_empty_project_is_no_mistake_of_the_expression() -> None:
    """There is nothing to select, so nothing is missing."""
    assert select_nodes(Project(name="void", nodes={})) == frozenset()
