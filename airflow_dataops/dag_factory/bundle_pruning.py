"""Which versions of a bundle are kept, and which are dropped.

A version is dropped when all of this holds: it is not among the newest so many; it was replaced
so many days ago; no run that is queued or under way was begun with it, and no DAG is in it, so that
none will be. Where Airflow cannot be asked about its runs, nothing is dropped.
"""

from __future__ import annotations

import logging
import time
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.dag_factory.bundle_versions import drop_content, drop_index, kept_versions
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Set

    from airflow_dataops.dag_factory.bundle_files import Deployment

log = logging.getLogger(__name__)

_DAY = 24 * 3600.0


class Keeping(NamedTuple):
    """How many versions are kept, and for how many days after they were replaced."""

    versions: int
    days: float


def checked(bundle: str, versions: object, days: object) -> Keeping:
    """Check what the caller set. Raises `ConfigError`."""
    if isinstance(versions, bool) or not isinstance(versions, int) or versions < 2:
        raise ConfigError(
            f"bundle {bundle}: keep_versions: expected a whole number from 2 on, got {versions!r}"
        )
    if isinstance(days, bool) or not isinstance(days, int | float) or not days >= 0:
        raise ConfigError(
            f"bundle {bundle}: keep_days: expected a number of days from 0 on, got {days!r}"
        )
    return Keeping(versions, days)


def prune(place: str, keeping: Keeping, in_use: Set[str]) -> list[str]:
    """Drop versions that nobody needs; return which.

    Contents go after the versions that name them, and only when no version that is left does.

    Args:
        in_use: versions of runs that are queued or under way, and of DAGs.

    Raises:
        ConfigError: the folder cannot be read or written.
    """
    kept = kept_versions(place)
    dropped = {version: kept[version] for version in _spare(kept, keeping) if version not in in_use}
    if not dropped:
        return []
    for version in dropped:
        drop_index(place, version)
    left = kept_versions(place).values()
    named = {key for deployment in left for key in deployment.manifests.values()}
    loose = {key for deployment in dropped.values() for key in deployment.manifests.values()}
    for key in filter(None, loose - named):
        drop_content(place, key)
    return list(dropped)


def _spare(kept: dict[str, Deployment], keeping: Keeping) -> list[str]:
    newest_first = sorted(kept, key=lambda version: kept[version].at, reverse=True)
    limit = time.time() - keeping.days * _DAY
    return [
        version
        for place, (newer, version) in enumerate(pairwise(newest_first), 1)
        if place >= keeping.versions and kept[newer].at < limit
    ]


def versions_in_use() -> frozenset[str] | None:
    """Return the versions of runs that are queued or under way, and of DAGs, of all bundles.

    None where Airflow's database cannot be asked: workers may not.
    """
    try:
        from airflow.models.dag import DagModel
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from airflow.utils.state import State
        from sqlalchemy import select
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError:
        return None
    pinned = select(DagRun.bundle_version).where(
        DagRun.state.in_(State.unfinished_dr_states), DagRun.bundle_version.is_not(None)
    )
    current = select(DagModel.bundle_version)
    try:
        with create_session() as session:
            found = [*session.scalars(pinned.distinct()), *session.scalars(current.distinct())]
            return frozenset(filter(None, found))
    except (SQLAlchemyError, RuntimeError) as error:
        log.info("Airflow's runs are not known here, no version is dropped: %s", error)
        return None
