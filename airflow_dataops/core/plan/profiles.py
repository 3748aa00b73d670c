"""The few profiles that many tasks share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

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
        wish = node.orchestration
        airflow = _encode(wish.airflow) if wish.airflow else b""
        key = (group, node.tags, wish.owner, airflow)
        place = self._places.setdefault(key, len(self._profiles))
        if place == len(self._profiles):
            self._profiles.append(
                Profile(
                    group=group,
                    tags=node.tags,
                    owner=wish.owner,
                    airflow=wish.airflow,
                    node=node.id,
                    path=node.declared_in or node.path,
                )
            )
        return place

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

    def add(self, profile: Profile) -> int:
        """Add a profile of no node; return its place."""
        self._profiles.append(profile)
        return len(self._profiles) - 1

    def airflow(self, place: int) -> dict[str, Any]:
        """Return the `meta.airflow` of a profile."""
        return self._profiles[place].airflow

    def all(self) -> tuple[Profile, ...]:
        """Return the profiles by place."""
        return tuple(self._profiles)

    def problems(self) -> list[Problem]:
        """Tell what is wrong with the operator arguments in the metadata."""
        return [problem for profile in self._profiles if (problem := problem_of(profile))]
