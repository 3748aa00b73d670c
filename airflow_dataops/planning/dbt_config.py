"""Where dbt finds a project, for the nodes that only dbt can run."""

from __future__ import annotations

import os
from typing import Any

from msgspec.structs import fields, force_setattr

from airflow_dataops.core.model import Struct
from airflow_dataops.errors import ConfigError

_PATHS = ("project_dir", "profiles_dir", "executable")


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

    Raises:
        ConfigError: a value is of a wrong type, or empty; all of them at once.
    """

    project_dir: str
    profile: str
    target: str
    profiles_dir: str | None = None
    executable: str | None = None
    vars: dict[str, Any] = {}
    env: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Check what only dbt would fail on, when it is called."""
        # Dear to import, and most DAG files have no such config.
        from airflow_dataops.core.decoding import find_mistakes

        for name in _PATHS:
            if isinstance(path := getattr(self, name), os.PathLike):
                force_setattr(self, name, os.fspath(path))
        wrong = [
            f"{field.name}{mistake.path.removeprefix('$')}: {mistake.message}"
            for field in fields(self)
            for mistake in find_mistakes(getattr(self, field.name), field.type)
        ]
        texts = (*_PATHS, "profile", "target")
        wrong += [f"{name}: it is empty." for name in texts if not str(getattr(self, name)).strip()]
        if wrong:
            raise ConfigError(f"DbtConfig: {' '.join(wrong)}")
