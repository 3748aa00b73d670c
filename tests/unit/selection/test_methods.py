"""What each method finds, before tests join in."""

from __future__ import annotations

from functools import partial

import pytest

from airflow_dataops.core.selection import IndirectSelection
from airflow_dataops.errors import ConfigError
from tests.unit.selection import port

alone = partial(port.chosen, indirect=IndirectSelection.EMPTY)
VERSIONS = {"dim_ships.v1", "dim_ships.v2", "dim_ships.v10"}
STAGING = {"stg_ships", "stg_calls"}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("stg_ships", {"stg_ships"}),
        ("port.staging.stg_ships", {"stg_ships"}),
        ("staging.stg_ships", {"stg_ships"}),
        ("staging", STAGING | {"fees"}),
        ("port.staging", STAGING),
        ("tolls", {"fees"}),
        ("stg_*", STAGING),
        ("stg_?hips", {"stg_ships"}),
        ("stg_[a-c]*", {"stg_calls"}),
        ("*.staging.*", STAGING | {"fees"}),
        ("port.st*.stg_ships", {"stg_ships"}),
        ("dim_ships", VERSIONS),
        ("dim_*", VERSIONS),
        ("dim_ships.v2", {"dim_ships.v2"}),
        ("dim_ships_v2", {"dim_ships.v2"}),
        ("anything.dim_ships.v2", {"dim_ships.v2"}),
        ("marts.dim_ships.v10", {"dim_ships.v10"}),
        ("fqn:rates", {"rates"}),
    ],
)
def test_name(expression: str, names: set[str]) -> None:
    """A bare word is a name, or the beginning of a qualified one."""
    assert alone(expression) == names


def test_name_never_means_a_source() -> None:
    """dbt finds sources by `source:` alone."""
    with pytest.raises(ConfigError):
        alone("port.staging.register.ships")


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("models/staging/stg_ships.sql", {"stg_ships"}),
        ("models/staging", STAGING | {"fees", "ships", "calls", "ships_are_trimmed"}),
        ("models/staging/", STAGING | {"fees", "ships", "calls", "ships_are_trimmed"}),
        ("path:models/staging/_staging.yml", {"stg_ships", "ships_are_trimmed"}),
        ("path:models/*/stg_*.sql", STAGING),
        ("path:**/dim_ships_v?.sql", {"dim_ships.v1", "dim_ships.v2"}),
        ("path:seeds", {"rates"}),
        ("path:seed*", {"rates"}),
        ("path:./seeds", {"rates"}),
    ],
)
def test_path(expression: str, names: set[str]) -> None:
    """A path is a file, a folder or a properties file; packages' files count as if own."""
    assert alone(expression) == names


def test_path_takes_a_packages_file_only_where_the_project_has_it_too() -> None:
    """dbt looks paths up in the project's own folder."""
    with pytest.raises(ConfigError, match="matches nothing"):
        alone("path:models/staging/fees.sql")


@pytest.mark.parametrize("path", ["/models", "../port/models"])
def test_path_outside_of_the_project(path: str) -> None:
    """A path that cannot be in the project is named as such."""
    with pytest.raises(ConfigError, match="relative to the dbt project"):
        alone(f"path:{path}")


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("stg_ships.sql", {"stg_ships"}),
        ("file:stg_ships", {"stg_ships"}),
        ("rates.csv", {"rates"}),
        ("file:_staging.yml", {"ships_are_trimmed"}),
        ("file:???_calls.*", {"stg_calls", "fct_calls"}),
    ],
)
def test_file(expression: str, names: set[str]) -> None:
    """A file's name counts with and without its suffix."""
    assert alone(expression) == names


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("tag:daily", STAGING | {"dim_ships.v2"}),
        ("tag:raw*", {"stg_ships"}),
        ("tag:hourly", {"ships"}),
        ("group:crew", {"dim_ships.v10"}),
        ("group:b*", {"fct_calls"}),
        ("access:public", {"dim_ships.v1", "dim_ships.v2"}),
        ("access:private", {"dim_ships.v10"}),
        ("package:tolls", {"fees"}),
        ("package:t*", {"fees"}),
        ("resource_type:seed", {"rates"}),
        ("resource_type:unit_test", {"ships_are_trimmed"}),
        ("version:latest", {"dim_ships.v2"}),
        ("version:old", {"dim_ships.v1"}),
        ("version:prerelease", {"dim_ships.v10"}),
        ("version:none", STAGING | {"fct_calls", "fees"}),
        ("source:register", {"ships"}),
        ("source:register.ships", {"ships"}),
        ("source:port.q*.*", {"calls"}),
        ("exposure:dash*", {"dashboard"}),
        ("exposure:port.dashboard", {"dashboard"}),
        ("unit_test:ships_*", {"ships_are_trimmed"}),
        ("test_type:generic", {"unique_stg_ships_ship_id", "calls_have_ships"}),
        ("test_type:schema", {"unique_stg_ships_ship_id", "calls_have_ships"}),
        ("test_type:singular", {"assert_calls"}),
        ("test_type:data", port.DATA_TESTS),
        ("test_type:unit", {"ships_are_trimmed"}),
        ("test_name:unique", {"unique_stg_ships_ship_id"}),
        ("test_name:relationships_*", {"calls_have_ships"}),
        ("test_name:ships_are_trimmed", {"ships_are_trimmed"}),
    ],
)
def test_label(expression: str, names: set[str]) -> None:
    """What is written on a node finds it."""
    assert alone(expression) == names


def test_package_this() -> None:
    """`this` is the project itself."""
    assert alone("package:this") == alone("package:port") == alone() - {"fees"}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("config.materialized:view", {"stg_ships"}),
        ("config.meta.pii:false", {"stg_ships"}),
        ("config.meta.pii:FALSE", {"stg_ships"}),
        ("config.meta.teams:bi", {"stg_ships"}),
        ("config.unique_key:ship_id", {"fct_calls"}),
        ("config.meta.owner:ann", {"ships"}),
        ("config.severity:warn", {"calls_have_ships"}),
    ],
)
def test_config(expression: str, names: set[str]) -> None:
    """Dots go down; of a list any element counts; booleans and severities ignore case."""
    assert alone(expression) == names


@pytest.mark.parametrize(
    ("expression", "accepted"),
    [
        ("resource_type:modle", "model, seed, snapshot"),
        ("test_type:quick", "generic, singular, unit, data"),
        ("version:newest", "latest, prerelease, old, none"),
        ("source:a.b.c.d", "package.source.table"),
        ("exposure:a.b.c", "package.name"),
        ("source_status:older", "always fresher"),
    ],
)
def test_value_that_a_method_does_not_take(expression: str, accepted: str) -> None:
    """The error lists what the method takes."""
    with pytest.raises(ConfigError, match=accepted):
        alone(expression)


@pytest.mark.parametrize("kind", ["metric", "semantic_model", "saved_query"])
def test_kinds_that_the_project_has_none_of(kind: str) -> None:
    """They are valid to ask for, and the error says that there are none."""
    with pytest.raises(ConfigError, match=f"project has no {kind.replace('_', ' ')}"):
        alone(f"{kind}:revenue")
