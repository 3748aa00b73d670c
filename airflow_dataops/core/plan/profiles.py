"""The few profiles that many tasks share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from airflow_dataops.core.plan.arguments import problem_of
from airflow_dataops.core.plan.structs import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.model import Node
    from airflow_dataops.errors import Problem

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Profiles:
    """Profiles, each with its place; equal ones share a place."""

    def __init__(self) -> None:
        self._places: dict[tuple[object, ...], int] = {}
        self._profiles: list[Profile] = []

    def place(self, node: Node, group: tuple[str, ...]) -> int:
        """Return the place of the profile of a node's tasks."""
        return self._keep(
            Profile(
                group=group,
                tags=node.tags,
                owner=node.orchestration.owner,
                airflow=node.orchestration.airflow,
                node=node.id,
                path=node.declared_in or node.path,
            )
        )

    def shared(self, places: Iterable[int], group: tuple[str, ...]) -> int:
        """Return the place of a profile of tasks of several: what all of them have in common."""
        found = [self._profiles[place] for place in dict.fromkeys(places)]
        owners = {profile.owner for profile in found}
        common = set(found[0].tags).intersection(*(profile.tags for profile in found))
        self._profiles.append(
            Profile(
                group=group,
                tags=tuple(tag for tag in found[0].tags if tag in common),
                owner=owners.pop() if len(owners) == 1 else None,
                node=found[0].node,
                path=found[0].path,
            )
        )
        return len(self._profiles) - 1

    def over(self, place: int, node: Node) -> int:
        """Return the place of a profile with what a node asks for itself on top."""
        below = self._profiles[place]
        return self._keep(
            replace(
                below,
                airflow=below.airflow | node.orchestration.airflow,
                owner=node.orchestration.owner or below.owner,
                node=node.id,
                path=node.declared_in or node.path,
            )
        )

    def add(self, profile: Profile) -> int:
        """Add a profile of no node; return its place."""
        self._profiles.append(profile)
        return len(self._profiles) - 1

    def _keep(self, profile: Profile) -> int:
        """Return the place of a profile, or of an equal one of other nodes."""
        airflow = _encode(profile.airflow) if profile.airflow else b""
        key = (profile.group, profile.tags, profile.owner, airflow)
        place = self._places.setdefault(key, len(self._profiles))
        if place == len(self._profiles):
            self._profiles.append(profile)
        return place

    def airflow(self, place: int) -> dict[str, Any]:
        """Return the `meta.airflow` of a profile."""
        return self._profiles[place].airflow

    def all(self) -> tuple[Profile, ...]:
        """Return the profiles by place."""
        return tuple(self._profiles)

    def problems(self) -> list[Problem]:
        """Tell what is wrong with the operator arguments in the metadata."""
        return [problem for profile in self._profiles if (problem := problem_of(profile))]
