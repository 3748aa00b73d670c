"""The compose file says what it should, as far as that can be read without an engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
AIRFLOW = {
    "init": "version",
    "api-server": "api-server",
    "scheduler": "scheduler",
    "dag-processor": "dag-processor",
    "triggerer": "triggerer",
    "worker": "celery worker",
}


def test_it_has_all_parts_of_a_distributed_airflow_and_no_version_key() -> None:
    assert set(SERVICES) == {*AIRFLOW, "metadata", "redis", "warehouse"}
    assert "version" not in COMPOSE


@pytest.mark.parametrize(("service", "command"), AIRFLOW.items())
def test_each_part_of_airflow_runs_its_command_in_the_one_image(service: str, command: str) -> None:
    assert SERVICES[service]["command"] == command
    assert SERVICES[service]["image"] == SERVICES["init"]["image"]
    assert SERVICES[service]["build"] == SERVICES["init"]["build"]
    environment = SERVICES[service]["environment"]
    assert environment.items() >= COMPOSE["x-environment"].items()


def test_the_image_has_the_airflow_that_the_project_is_tested_with() -> None:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    (version,) = re.findall(r"^apache-airflow==([\d.]+)", constraints, re.M)
    recipe = SERVICES["init"]["build"]["dockerfile_inline"]
    assert recipe.startswith(f"FROM apache/airflow:{version}-python3.")
    assert SERVICES["init"]["image"].endswith(f":{version}")
    assert "apache-airflow==$${AIRFLOW_VERSION}" in recipe


def test_what_the_image_copies_exists() -> None:
    recipe = SERVICES["init"]["build"]["dockerfile_inline"]
    copied = [line.split()[2:-1] for line in recipe.splitlines() if line.startswith("COPY")]
    assert copied
    for path in (path for paths in copied for path in paths):
        assert (ROOT / path).exists(), path


def test_the_extras_of_the_image_exist() -> None:
    recipe = SERVICES["init"]["build"]["dockerfile_inline"]
    (extras,) = re.findall(r"/opt/airflow-dataops\[([\w,]+)\]", recipe)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in extras.split(","):
        assert re.search(rf"^{extra} = \[", project, re.M), extra


def test_ports_are_open_to_this_machine_only() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"api-server", "warehouse"}
    for ports in published.values():
        for port in ports:
            assert re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+\}:\d+", port)


def test_images_are_of_a_named_version() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":\d+(\.\d+)*(-\w+)?$", service["image"]), name


def test_secrets_come_from_the_environment_and_have_no_default() -> None:
    """Every value that is or holds a secret is a required variable."""
    secret = re.compile(r"PASSWORD|SECRET|FERNET_KEY")
    required = re.compile(r"\$\{\w+:\?see docs/docker-compose\.md\}")
    found = 0
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if secret.search(name):
                assert required.fullmatch(value), name
                found += 1
            if re.search(r"://[^@/]*@", required.sub("", value)):
                assert required.search(value.partition("@")[0]), name
    assert found >= 20
    names = set(re.findall(r"\$\{(\w+):\?", TEXT))
    guide = (ROOT / "docs" / "docker-compose.md").read_text(encoding="utf-8")
    for name in names:
        assert name in guide or name.removesuffix("_PASSWORD") in guide, name


def test_every_part_but_the_first_step_has_a_health_check() -> None:
    for name, service in SERVICES.items():
        assert ("healthcheck" in service) == (name != "init"), name


def test_airflow_starts_after_its_database_is_migrated() -> None:
    for name in AIRFLOW.keys() - {"init"}:
        waits = SERVICES[name]["depends_on"]
        assert waits["init"]["condition"] == "service_completed_successfully"
        assert waits["metadata"]["condition"] == "service_healthy"
        assert set(waits) <= set(SERVICES)


def test_mounts_are_declared_volumes_or_folders_of_the_project() -> None:
    used = set()
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).is_dir(), source
                assert mount.endswith(":ro"), mount
            else:
                used.add(source)
    assert used == set(COMPOSE["volumes"])
