"""What some methods need besides the project: earlier states, results, named selectors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from airflow_dataops.core.model import ProjectState, Struct
from airflow_dataops.core.selection.spec import Spec


class StateComparison(Struct, frozen=True):
    """The two states that `state:` compares."""

    now: ProjectState
    before: ProjectState


class FreshnessComparison(Struct, frozen=True):
    """When each source was last loaded, by node id, as two runs of freshness saw it.

    A source whose check failed to run is not in the mapping.
    """

    now: Mapping[str, datetime]
    before: Mapping[str, datetime]


class Selectors(Struct, frozen=True):
    """Named selectors, as read from YAML.

    Attributes:
        definitions: spec by name.
        default: the one that holds where nothing is selected or excluded.
        broken: why a definition cannot be used, by name.
    """

    definitions: Mapping[str, Spec]
    default: str | None = None
    broken: Mapping[str, str] = {}


class SelectionInputs(Struct, frozen=True):
    """What some methods need; each is None until a selector asks for it.

    Attributes:
        state: for `state:`.
        results: status by node id, of an earlier run; for `result:`.
        statuses: those that `results` tells of; None for all.
        freshness: for `source_status:`.
        selectors: for `selector:` and the default selection; None for the project's own.
    """

    state: StateComparison | None = None
    results: Mapping[str, str] | None = None
    statuses: frozenset[str] | None = None
    freshness: FreshnessComparison | None = None
    selectors: Selectors | None = None
