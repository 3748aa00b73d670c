"""Typed access to a node's `config`, which is free in form: macros and adapters add keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.manifests.show import show

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.manifests.report import Place


class Settings:
    """A node's configuration. A value of the wrong type is a problem and reads as unset."""

    def __init__(self, values: dict[str, Any], place: Place) -> None:
        self._values = values
        self._place = place

    def raw(self, name: str) -> Any:
        """Return the value as it stands, None when unset."""
        return self._values.get(name)

    def given(self, name: str) -> bool:
        """Say whether the setting asks for anything: it is neither unset, empty nor false."""
        return self._values.get(name) not in (None, False, "", [], {})

    def any_of(self, names: Iterable[str]) -> list[str]:
        """Return those of the settings that ask for anything."""
        return [name for name in names if self.given(name)]

    def text(self, name: str) -> str | None:
        """Return a text, None when unset or empty."""
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value or None
        self._refuse(name, "a text")
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; a single text counts as a list of one."""
        value = self._values.get(name)
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
        value = self._values.get(name)
        if value is None or isinstance(value, bool):
            return value
        self._refuse(name, "true or false")
        return None

    def whole(self, name: str) -> int | None:
        """Return a whole number, None when unset."""
        value = self._values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self._refuse(name, "a whole number")
        return None

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a mapping, empty when unset."""
        value = self._values.get(name)
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
        self._place.complain(message)

    def warn(self, message: str) -> None:
        """Add a warning that names this node."""
        self._place.warn(message)

    def _refuse(self, name: str, accepted: str) -> None:
        self.complain(f"config.{name} is {show(self._values[name])}; write {accepted}.")
