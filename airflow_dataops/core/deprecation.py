"""Names of an earlier release, which go on working for one more, with a `DeprecationWarning`."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_USERS_CALL = 3
"""Frames from a warning here to who wrote the old name: this module, and the one that asks it."""


def renamed(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a `__getattr__` for a module whose classes have new names.

    Args:
        module: the module's `__name__`.
        names: old name -> new one.
    """

    def find(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(
            f"{module}.{name} is now called {names[name]}; the old name goes in the next release.",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(sys.modules[module], names[name])

    return find


def renamed_arguments(
    given: Mapping[str, Any],
    names: Mapping[str, str],
    values: Mapping[tuple[str, str], str] | None = None,
) -> dict[str, Any]:
    """Return arguments under their new names. One that is given under both keeps the old one,
    which whoever takes the arguments does not know.

    Args:
        names: old name -> new one.
        values: by new name and old value, the new value.
    """
    found = dict(given)
    for old, new in names.items():
        if old in found and new not in found:
            found[new] = found.pop(old)
            _warn(f"{old}= is now called {new}=")
    for (name, old), new in (values or {}).items():
        if found.get(name) == old:
            found[name] = new
            _warn(f"{name}={old!r} is now written {new!r}")
    return found


def _warn(told: str) -> None:
    warnings.warn(
        f"{told}; the old form goes in the next release.",
        DeprecationWarning,
        stacklevel=_USERS_CALL + 1,
    )
