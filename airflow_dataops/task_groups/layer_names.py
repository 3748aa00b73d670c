"""Whether the groups and tags that operator arguments are written for exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import get_parsing_context

from airflow_dataops.adapters.manifest_store import open_manifest
from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.core.plan.structs import GroupBy
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_dataops.planning.manifest import Planned, PlannedProject

_SETTINGS = {"group_args": "group", "tag_args": "tag"}
_ALWAYS = {"group_args": frozenset({"inputs"}), "tag_args": frozenset[str]()}
"""The group of the sensor, which only some DAGs have."""


class LayerNames:
    """The names in `group_args` and `tag_args` of a caller, held against what projects have.

    A name counts if any node of any of the caller's manifests has it, selected or not.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._asked = {setting: set(arguments.get(setting) or ()) for setting in _SETTINGS}
        self._known = {setting: set(always) for setting, always in _ALWAYS.items()}
        self._manifests: list[str] = []
        self._group_by = GroupBy(arguments.get("group_by", GroupBy.LAYER))
        # A worker runs one task of what may be half a DAG.
        self._looks = any(self._asked.values()) and get_parsing_context().dag_id is None

    def see(self, project: PlannedProject) -> None:
        """Take notice of the plans of a project."""
        for place in range(len(project.parts)) if self._looks else ():
            self.see_plan(project.planned(place))

    def see_plan(self, planned: Planned) -> None:
        """Take notice of one plan."""
        if not self._looks:
            return
        self._manifests.append(planned.warehouse.manifest)
        for profile in planned.plan.profiles():
            self._note(profile.group, profile.tags)

    def check(self) -> None:
        """Refuse names that nothing has.

        Raises:
            ConfigError: lists all, each with the nearest that there is.
        """
        if not self._looks or not self._unknown():
            return
        from airflow_dataops.core.plan.groups import group_of

        # What is not selected has no part in the plan, and yet its names are no mistakes.
        for manifest in self._manifests:
            for node in open_manifest(manifest).project().nodes.values():
                self._note(group_of(node, self._group_by), node.tags)
        told = [
            f"{setting}: there is no {_SETTINGS[setting]} {name!r}"
            f"{did_you_mean(name, self._known[setting])}."
            for setting, name in self._unknown()
        ]
        if told:
            raise ConfigError(" ".join(told))

    def _note(self, groups: Iterable[str], tags: Iterable[str]) -> None:
        self._known["group_args"].update(groups)
        self._known["tag_args"].update(tags)

    def _unknown(self) -> list[tuple[str, str]]:
        return [
            (setting, str(name))
            for setting in _SETTINGS
            for name in sorted(self._asked[setting] - self._known[setting], key=str)
        ]


def check_layer_names(planned: Planned, arguments: Mapping[str, Any]) -> None:
    """Refuse names in `group_args` and `tag_args` that a manifest does not have."""
    names = LayerNames(arguments)
    names.see_plan(planned)
    names.check()
