"""Named selectors: `selectors.yml`, or the `selectors` of a manifest -> specs.

The language is https://docs.getdbt.com/reference/node-selection/yaml-selectors. A string is one
criterion: spaces and commas do not split it here. A selector may use those above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from airflow_dataops.core.selection.grammar import make_criterion, parse_criterion
from airflow_dataops.core.selection.inputs import Selectors
from airflow_dataops.core.selection.spec import (
    ANY_DEPTH,
    Criterion,
    Group,
    IndirectSelection,
    MethodName,
    SetOperator,
    Spec,
)
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_dataops.core.model import Project

_Raw = TypeVar("_Raw")
_OPTIONS = frozenset(
    {
        "method",
        "value",
        "exclude",
        "parents",
        "parents_depth",
        "children",
        "children_depth",
        "childrens_parents",
        "indirect_selection",
    }
)


def load_selectors(text: str, source: str = "selectors.yml") -> Selectors:
    """Read a `selectors.yml`. Templates in it are not rendered: use the manifest's then.

    Raises:
        ConfigError: it is not YAML, or not what dbt takes.
    """
    import yaml  # Airflow brings it; whoever passes parsed data can do without.

    from airflow_dataops.core.yaml_loader import Bounded

    try:
        data = yaml.load(text, Bounded)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ConfigError(f"{source} is not YAML: {error}") from error
    return parse_selectors(data, source)


def parse_selectors(data: Any, source: str = "selectors.yml") -> Selectors:
    """Make specs of parsed YAML, `{"selectors": [{"name": ..., "definition": ...}, ...]}`.

    Raises:
        ConfigError: it is not what dbt takes; names the selector.
    """
    selectors = _read_entries(_entries(data, source), source)
    for message in selectors.broken.values():
        raise ConfigError(message)
    return selectors


def selectors_of(project: Project) -> Selectors:
    """Make specs of the selectors that a manifest carries.

    One that cannot be read is an error when it is used: dbt takes some that we do not.
    """
    return _read_entries(project.selectors.values(), f"project {project.name!r}")


def _read_entries(entries: Iterable[dict[str, Any]], source: str) -> Selectors:
    definitions: dict[str, Spec] = {}
    broken: dict[str, str] = {}
    defaults = []
    for entry in entries:
        name = entry["name"]
        try:
            reader = _Reader(f"{source}, selector {name!r}", definitions)
            definitions[name] = reader.read(entry["definition"])
        except ConfigError as error:
            broken[name] = str(error)
        if entry.get("default", False) is True:
            defaults.append(name)
    for second in defaults[1:]:
        broken[second] = f"{source}, selector {second!r}: {defaults[0]!r} is the default already."
    return Selectors(definitions=definitions, default=next(iter(defaults), None), broken=broken)


def _entries(data: Any, source: str) -> list[dict[str, Any]]:
    entries = data.get("selectors") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise ConfigError(f"{source} must be a mapping with a list under the key `selectors`.")
    for entry in entries:
        if not isinstance(entry, dict) or not {"name", "definition"} <= entry.keys():
            raise ConfigError(f"{source}: each selector needs a name and a definition: {entry!r}.")
    return entries


class _Reader:
    """Reads one definition."""

    def __init__(self, where: str, above: Mapping[str, Spec]) -> None:
        self._where = where
        self._above = above

    def read(self, definition: Any) -> Spec:
        """Return the spec of a definition, or of a part of one."""
        if isinstance(definition, str):
            return self._reference(self._checked(parse_criterion, self._rendered(definition)))
        if not isinstance(definition, dict) or not definition:
            raise self._error(f"expected a text or a mapping, not {definition!r}")
        for operator in (SetOperator.UNION, SetOperator.INTERSECTION):
            if operator.value in definition:
                return self._read_group(definition, operator)
        return self._read_mapping(definition)

    def _read_group(self, definition: dict[str, Any], operator: SetOperator) -> Spec:
        if len(definition) > 1:
            others = ", ".join(map(str, definition.keys() - {operator.value}))
            raise self._error(f"{operator.value} stands alone, without {others}")
        entries = self._list(definition, operator.value)
        excludes = [entry for entry in entries if isinstance(entry, dict) and "exclude" in entry]
        if len(excludes) > 1 or any(len(entry) > 1 for entry in excludes):
            raise self._error(
                f"{operator.value} takes one exclude, as an entry of its own, with all that is "
                "to be left out in its list"
            )
        included = Group(
            text=_text(definition),
            operator=operator,
            parts=tuple(self.read(entry) for entry in entries if entry not in excludes),
        )
        return self._without(included, excludes[0]) if excludes else included

    def _read_mapping(self, definition: dict[str, Any]) -> Spec:
        if len(definition) == 1:
            [(method, value)] = definition.items()
            definition = {"method": method, "value": value}
        if definition.keys() - _OPTIONS or not {"method", "value"} <= definition.keys():
            keys = ", ".join(map(str, definition))
            raise self._error(f"expected one key, or `method` and `value`, not {keys}")
        if definition["method"] == MethodName.SELECTOR and len(definition) > 2:
            raise self._error(
                "a reference to a selector stands alone. Put it into a union or intersection "
                "with what is to be added or excluded"
            )
        criterion = self._reference(self._checked(_criterion, definition))
        return self._without(criterion, definition) if "exclude" in definition else criterion

    def _reference(self, criterion: Criterion) -> Spec:
        """Put in the selector that a criterion names, which must stand above."""
        if criterion.method is not MethodName.SELECTOR:
            return criterion
        if criterion.pattern not in self._above:
            raise self._error(f"there is no selector {criterion.pattern!r} above it")
        return criterion if criterion.walks else self._above[criterion.pattern]

    def _without(self, included: Spec, definition: dict[str, Any]) -> Spec:
        excluded = tuple(self.read(each) for each in self._list(definition, "exclude"))
        return Group(
            text=included.text, operator=SetOperator.DIFFERENCE, parts=(included, *excluded)
        )

    def _list(self, definition: dict[str, Any], key: str) -> list[Any]:
        value = definition[key]
        if not isinstance(value, list):
            raise self._error(f"{key} must be a list, not {value!r}")
        return value

    def _rendered(self, text: str) -> str:
        if "{{" in text or "{%" in text:
            raise self._error(
                f"{text!r} is a template. Take the selectors from the manifest, where dbt "
                "has rendered them"
            )
        return text

    def _checked(self, make: Callable[[_Raw], Criterion], raw: _Raw) -> Criterion:
        try:
            return make(raw)
        except (ConfigError, ValueError) as error:
            raise ConfigError(f"{self._where}: {error}") from None

    def _error(self, message: str) -> ConfigError:
        return ConfigError(f"{self._where}: {message}.")


def _criterion(definition: dict[str, Any]) -> Criterion:
    indirect = definition.get("indirect_selection")
    return make_criterion(
        _text(definition),
        str(definition["method"]),
        definition["value"],
        parents=_steps(definition, "parents"),
        children=_steps(definition, "children"),
        childrens_parents=bool(definition.get("childrens_parents")),
        indirect=None if indirect is None else IndirectSelection(indirect),
    )


def _steps(definition: dict[str, Any], direction: str) -> int:
    if not definition.get(direction):
        return 0
    return int(definition.get(f"{direction}_depth") or ANY_DEPTH)


def _text(definition: dict[str, Any]) -> str:
    if {"method", "value"} <= definition.keys():
        return f"{definition['method']}:{definition['value']}"
    return str(definition)
