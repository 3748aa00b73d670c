"""What Airflow's processes get from the surrounding shell, and what they do not."""

from __future__ import annotations

import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest

from tools.airflow_settings import (
    Settings,
    airflow_environment,
    free_port,
    password_of,
    prepare_sqlite,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", dags_folder=tmp_path / "dags")


def test_airflow_variables_of_the_shell_are_dropped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production/airflow")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgresql://production/warehouse")
    monkeypatch.setenv("AIRFLOW_HOME", "/home/of/production")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = airflow_environment(settings, 1234)
    assert not [name for name, value in environment.items() if "production" in value]
    assert environment["AIRFLOW_HOME"] == str(settings.home)
    assert environment["LANG"] == "C.UTF-8"
    assert "PYTHONDONTWRITEBYTECODE" not in environment


def test_variables_of_the_settings_win(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        dags_folder=tmp_path,
        environment={"AIRFLOW_CONN_A": "sqlite://", "AIRFLOW__CORE__PARALLELISM": "1"},
    )
    environment = airflow_environment(settings, 1234)
    assert environment["AIRFLOW_CONN_A"] == "sqlite://"
    assert environment["AIRFLOW__CORE__PARALLELISM"] == "1"


def test_no_proxy_stands_between_the_processes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "example.com")
    assert airflow_environment(settings, 1)["NO_PROXY"] == "example.com,127.0.0.1,localhost"


def test_only_the_loopback_interface_is_listened_on(settings: Settings) -> None:
    environment = airflow_environment(settings, 1234)
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__API__PORT"] == "1234"


def test_every_start_has_its_own_secrets(settings: Settings) -> None:
    one, two = (airflow_environment(settings, 1)["AIRFLOW__API_AUTH__JWT_SECRET"] for _ in "ab")
    assert one != two
    assert len(one) >= 64


def test_the_password_of_a_home_stays_and_is_private(settings: Settings) -> None:
    password = password_of(settings.home)
    assert password_of(settings.home) == password
    file = settings.home / "passwords.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700


def test_metadata_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    prepare_sqlite(tmp_path)
    with sqlite3.connect(tmp_path / "airflow.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_free_port_is_a_port() -> None:
    assert 1024 <= free_port() <= 65535
