"""What of a dbt profile goes into a manifest: what is known to be harmless, and nothing else."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_dataops.adapters.dbt_settings import read_settings, split
from airflow_dataops.core.engines import engine_names, get_engine
from airflow_dataops.core.engines.session_settings import carried
from airflow_dataops.core.sql.sessions import settings

CARRIED = {name: get_engine(name).session.settings for name in engine_names()}
SECRET = "hunter2"
_KNOWN = [*(name for names in CARRIED.values() for name in names), "settings", "host", "password"]


@dataclasses.dataclass
class Credentials:
    """As an adapter's; what stays at its default was not set by anybody."""

    host: str = ""
    password: str = ""
    search_path: str | None = None
    role: str | None = None
    connect_timeout: int = 10
    keepalives: int = 0
    extras: dict[str, Any] = dataclasses.field(default_factory=dict)
    secrets: list[Any] | None = None


FLAGS = SimpleNamespace(WARN_ERROR=None, FAIL_FAST=False)


def test_what_the_adapter_sets_by_itself_is_not_told() -> None:
    """As dbt-duckdb, which puts an empty list of secrets in place of none."""
    own = Credentials(host="h", password=SECRET, secrets=[])
    found = read_settings("postgres", own, FLAGS)
    assert (found.session, found.left_out) == ({}, ())


def test_what_changes_results_is_carried_and_the_rest_is_named() -> None:
    given = Credentials(search_path="a, b", role="loader", keepalives=3, connect_timeout=5)
    found = read_settings("postgres", given, FLAGS)
    assert found.session == {"search_path": "a, b", "role": "loader"}
    assert found.left_out == ("keepalives",)


def test_duckdb_has_its_settings_in_a_mapping() -> None:
    given = {
        "path": "wh.duckdb",
        "settings": {"TimeZone": "UTC", "s3_secret_access_key": SECRET, "threads": 2},
        "attach": [{"path": "other.duckdb"}],
    }
    session, left_out = split("duckdb", given)
    assert session == {"TimeZone": "UTC"}
    assert left_out == ("attach", "s3_secret_access_key", "threads")


def test_flags_are_dbts_answers() -> None:
    options = SimpleNamespace(includes=lambda name: name == "LogTestResult")
    flags = SimpleNamespace(WARN_ERROR=None, WARN_ERROR_OPTIONS=options, FAIL_FAST=True)
    found = read_settings("postgres", Credentials(), flags)
    assert (found.warn_error, found.fail_fast) == (True, True)


_values = st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.none(), st.just([SECRET]))
_names = st.one_of(st.sampled_from(_KNOWN), st.text(max_size=8))


@given(
    adapter=st.sampled_from([*CARRIED, "athena"]),
    given=st.dictionaries(_names, _values, max_size=6),
    inner=st.dictionaries(_names, _values, max_size=6),
)
def test_nothing_that_is_not_listed_is_carried(
    adapter: str, given: dict[str, Any], inner: dict[str, Any]
) -> None:
    """Whatever a profile holds, and where; and what is left out goes by its name alone."""
    session, left_out = split(adapter, given | {"settings": inner})
    assert {name.lower() for name in session} <= CARRIED.get(adapter, frozenset())
    assert set(left_out) <= {*given, *inner, "settings"}
    assert carried(adapter, session) == session


def test_names_and_values_are_quoted() -> None:
    """A manifest is text from outside, and its reader leaves out what is not listed; and yet."""
    assert settings({"role": "a'b"}, "postgres") == ["select set_config('role', 'a''b', false)"]
    assert settings({'x" = 1; --': "a'b", "b": True}, "duckdb") == [
        "set \"b\" = 'true'",
        "set \"x\"\" = 1; --\" = 'a''b'",
    ]
