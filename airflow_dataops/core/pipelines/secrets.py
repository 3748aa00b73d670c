"""Secrets are kept in Airflow's connections and variables, never in a file."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.masking.tokens import mask_tokens
from airflow_dataops.core.masking.values import names_secret

if TYPE_CHECKING:
    from airflow_dataops.core.pipelines.located import Map
    from airflow_dataops.core.pipelines.report import Path, Report

_SHORTEST = 16
"""Characters of a token."""


def check_secret(value: Map, key: str, path: Path, report: Report) -> None:
    """Refuse a secret that is written into the file: told by its name, or by its form."""
    text = value[key]
    if not isinstance(text, str) or not text or is_template(text):
        return
    if _names_secret(key) or (len(text) >= _SHORTEST and mask_tokens(text) != text):
        told = (
            f"{key!r} holds a secret. Keep it in an Airflow connection, or in a variable and write "
            "{{ var.value.its_name }}."
        )
        report.value("secret", told, value, key, path)


@lru_cache(maxsize=1024)
def _names_secret(key: str) -> bool:
    return names_secret(key)


def is_template(value: Any) -> bool:
    """Tell whether a value is text that Airflow renders when the task runs."""
    return isinstance(value, str) and "{{" in value
