"""Names and arguments of the last release: they work, and say what they are called now."""

import importlib

import pytest

from airflow_dataops.core.deprecation import renamed_arguments

NAMES = [
    ("airflow_dataops", "Source", "ManifestSource"),
    ("airflow_dataops", "BuildOperator", "DbtBuildOperator"),
    ("airflow_dataops", "TestOperator", "DbtTestOperator"),
    ("airflow_dataops.hooks.sources", "Source", "ManifestSource"),
    ("airflow_dataops.operators.build", "BuildOperator", "DbtBuildOperator"),
    ("airflow_dataops.operators.test", "TestOperator", "DbtTestOperator"),
]


@pytest.mark.parametrize(("module", "old", "new"), NAMES)
def test_an_old_name_is_the_new_class_and_warns(module: str, old: str, new: str) -> None:
    home = importlib.import_module(module)
    with pytest.warns(DeprecationWarning, match=f"{module}.{old} is now called {new}"):
        assert getattr(home, old) is getattr(home, new)
    with pytest.raises(AttributeError, match="has no attribute 'Neither'"):
        _ = home.Neither


def test_arguments_and_values_get_their_new_names() -> None:
    names, values = {"rest": "unassigned"}, {("unassigned", "leave out"): "skip"}
    with pytest.warns(DeprecationWarning, match="rest= is now called unassigned="):
        assert renamed_arguments({"rest": "part", "x": 1}, names, values) == {
            "unassigned": "part",
            "x": 1,
        }
    with pytest.warns(DeprecationWarning, match="'leave out' is now written 'skip'"):
        assert renamed_arguments({"rest": "leave out"}, names, values) == {"unassigned": "skip"}


def test_an_argument_under_both_names_is_left_to_be_refused() -> None:
    given = {"rest": "part", "unassigned": "part"}
    assert renamed_arguments(given, {"rest": "unassigned"}) == given
