"""Cosmos tells its makers how it is used unless it is told not to; here it does so if asked to."""

from __future__ import annotations

import os
import sys

_SETTING = "AIRFLOW__COSMOS__ENABLE_TELEMETRY"


def mute_cosmos() -> None:
    """Turn Cosmos's telemetry off, unless `[cosmos] enable_telemetry` is set.

    Cosmos reads the setting when it is first imported, which an Airflow plugin of its own may have
    done already.
    """
    from airflow.sdk.configuration import conf

    if conf.get("cosmos", "enable_telemetry", fallback=None) is not None:
        return
    os.environ[_SETTING] = "False"
    settings = sys.modules.get("cosmos.settings")
    if settings is not None:
        settings.enable_telemetry = False  # type: ignore[attr-defined]
