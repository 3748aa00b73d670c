"""Where dbt finds a project, for the nodes that only dbt can run."""

from __future__ import annotations

from typing import Any

from airflow_dataops.core.model import Struct


class DbtConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How to call dbt.

    Attributes:
        project_dir: the folder with `dbt_project.yml`, with its packages installed.
        profile: the profile's name in `profiles.yml`.
        target: the target's name; it must open the warehouse of the Airflow connection.
        profiles_dir: the folder with `profiles.yml`; None for the project's own folder.
        executable: the dbt command; None for the one beside Airflow's Python.
        vars: dbt variables.
        env: environment variables for dbt, such as those that `profiles.yml` reads.
    """

    project_dir: str
    profile: str
    target: str
    profiles_dir: str | None = None
    executable: str | None = None
    vars: dict[str, Any] = {}
    env: dict[str, str] = {}
