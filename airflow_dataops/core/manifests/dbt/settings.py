"""Typed access to a node's `config`, which is free in form: macros and adapters add keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from airflow_dataops.core.manifests.show import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_dataops.core.manifests.report import Place

    Readings = dict[tuple[object, ...], Any]

_T = TypeVar("_T")
_encode = msgspec.json.Encoder().encode


class Configurations:
    """The configurations of a manifest, by content: most nodes share theirs with others."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[dict[str, Any], Readings]] = {}

    def settings(self, values: dict[str, Any], place: Place) -> Settings:
        """Return the configuration of a node. Equal ones are one mapping afterwards."""
        key = _encode(values)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (values, {})
        return Settings(known[0], place, known[1])


class Settings:
    """A node's configuration. A value of the wrong type is a problem and reads as unset.

    Attributes:
        values: all of it, as it stands.
    """

    __slots__ = ("_is_fine", "_place", "_readings", "values")

    def __init__(self, values: dict[str, Any], place: Place, readings: Readings) -> None:
        self.values = values
        self._place = place
        self._readings = readings
        self._is_fine = True

    def once(self, read: Callable[..., _T], *args: object) -> _T:
        """Return what `read` makes of the settings, which may look at nothing else.

        Nodes of the same configuration share it, unless there is something to tell: that is
        told of each of them.
        """
        key = (read, *args)
        if key in self._readings:
            known: _T = self._readings[key]
            return known
        was_fine, self._is_fine = self._is_fine, True
        found = read(self, *args)
        if self._is_fine:
            self._readings[key] = found
        self._is_fine = self._is_fine and was_fine
        return found

    def raw(self, name: str) -> Any:
        """Return the value as it stands, None when unset."""
        return self.values.get(name)

    def given(self, name: str) -> bool:
        """Say whether the setting asks for anything: it is neither unset, empty nor false."""
        return self.values.get(name) not in (None, False, "", [], {})

    def any_of(self, names: Iterable[str]) -> list[str]:
        """Return those of the settings that ask for anything."""
        return [name for name in names if self.given(name)]

    def text(self, name: str) -> str | None:
        """Return a text, None when unset or empty."""
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value or None
        self._refuse(name, "a text")
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; a single text counts as a list of one."""
        value = self.values.get(name)
        if isinstance(value, str):
            return (value,) if value else ()
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self._refuse(name, "a text or a list of texts")
        return ()

    def flag(self, name: str) -> bool | None:
        """Return true or false, None when unset."""
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return value
        self._refuse(name, "true or false")
        return None

    def whole(self, name: str) -> int | None:
        """Return a whole number, None when unset."""
        value = self.values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self._refuse(name, "a whole number")
        return None

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a mapping, empty when unset."""
        value = self.values.get(name)
        if value is None or isinstance(value, dict):
            return value or {}
        self._refuse(name, "a mapping")
        return {}

    def choice(self, name: str, accepted: Iterable[str], default: str) -> str:
        """Return one of the accepted words, whatever the case it is written in."""
        value = self.text(name)
        if value is None:
            return default
        accepted = list(accepted)
        if value.lower() in accepted:
            return value.lower()
        self._refuse(name, " or ".join(accepted))
        return default

    def complain(self, message: str) -> None:
        """Add a problem of this node."""
        self._is_fine = False
        self._place.complain(message)

    def warn(self, message: str) -> None:
        """Add a warning that names this node."""
        self._is_fine = False
        self._place.warn(message)

    def _refuse(self, name: str, accepted: str) -> None:
        self.complain(f"config.{name} is {show(self.values[name])}; write {accepted}.")
