"""What can be told from a manifest's macros about the nodes that call them.

`depends_on.macros` of a node and of a macro are the macros that it calls itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.touched import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_dataops.core.manifests.dbt.wire import Macro

IS_INCREMENTAL = "is_incremental"

_BRANCHING = (IS_INCREMENTAL, "should_full_refresh", "FULL_REFRESH")
"""Words in code that renders differently on a first build and on a later one."""

_MATERIALIZATIONS: dict[str, tuple[str, ...]] = {
    "view": (),
    "table": (),
    "incremental": (
        "get_incremental_default_sql",
        "get_incremental_append_sql",
        "get_incremental_delete_insert_sql",
        "get_incremental_merge_sql",
    ),
    "snapshot": ("snapshot_check_strategy", "snapshot_timestamp_strategy"),
    "seed": (),
    "test": (),
}
"""The materializations we write ourselves, and macros that dbt's look up by name at run time."""


class Macros:
    """The macros of one manifest.

    Args:
        macros: by unique id. Where a manifest carries none, nothing is known of them.
        root: the project's own package.
        adapter: the dbt adapter type.
        dispatched: the packages that `dispatch` in dbt_project.yml has searched before dbt's own;
            None where nobody knows: then any may be.
    """

    def __init__(
        self,
        macros: Mapping[str, Macro],
        *,
        root: str,
        adapter: str | None,
        dispatched: Iterable[str] | None = (),
    ) -> None:
        self._macros = macros
        self._adapter = adapter
        self._own = {macro.name for macro in macros.values() if macro.package_name == root}
        self._packages = self._of_packages({root, "dbt", f"dbt_{adapter}"}, dispatched)
        self._calls = {id_: macro.depends_on.macros or [] for id_, macro in macros.items()}
        self._callers = _turned(self._calls)
        self._branching = self._naming(_BRANCHING)
        self._touching = self._touching_macros()
        self._replaced = {name: self._replaced_by_root(name) for name in _MATERIALIZATIONS}

    def renders_twice(self, raw_code: str, macros: Iterable[str]) -> bool:
        """Say whether code may be another one on a first build than later.

        That holds for macros that the manifest does not have, for there is no telling.
        """
        return _names(raw_code, _BRANCHING) or any(
            id_ in self._branching or id_ not in self._macros for id_ in macros
        )

    def touched(self, raw_code: str, macros: Iterable[str]) -> set[str]:
        """Return what code touches while it is rendered, itself or by the macros that it calls.

        Returns:
            `kind:name`, as `touched` has it; the name is that of the macro where one does it.
        """
        found = set(words(raw_code))
        for id_ in macros:
            for kind in self._touching.get(id_, ()):
                found.add(f"{kind}:{id_.removeprefix('macro.').removeprefix('dbt.')}")
        return found

    def behind(self, macros: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield id and code of macros, and of all that these call."""
        for id_ in sorted(_reached(macros, self._calls) & self._macros.keys()):
            yield id_, self._macros[id_].macro_sql

    def replaced(self, materialization: str) -> tuple[str, ...]:
        """Return the project's or a package's macros that change how dbt materializes."""
        return self._replaced.get(materialization, ())

    def _touching_macros(self) -> dict[str, set[str]]:
        """Return the kinds of what each macro touches, itself or by those that it calls.

        What asks for `is_incremental()` has a rendering for each of its answers.
        """
        starts: dict[str, list[str]] = {}
        for id_, macro in self._macros.items():
            if macro.name != IS_INCREMENTAL:
                for each in words(macro.macro_sql):
                    starts.setdefault(each.partition(":")[0], []).append(id_)
        ends = {id_ for id_, macro in self._macros.items() if macro.name == IS_INCREMENTAL}
        callers = {id_: others for id_, others in self._callers.items() if id_ not in ends}
        found: dict[str, set[str]] = {}
        for kind, ids in starts.items():
            for id_ in _reached(ids, callers) - ends:
                found.setdefault(id_, set()).add(kind)
        return found

    def _naming(self, words: tuple[str, ...]) -> set[str]:
        """Return the macros that name one of the words, and all that call them."""
        found = (
            id_
            for id_, macro in self._macros.items()
            if macro.name in words
            or (macro.name != IS_INCREMENTAL and _names(macro.macro_sql, words))
        )
        return _reached(found, self._callers)

    def _replaced_by_root(self, materialization: str) -> tuple[str, ...]:
        """Find macros of the root project that dbt prefers to those of a materialization.

        dbt looks macros up by name, and the root project's come before those of dbt and of
        the adapter; so does its materialization of the same name.
        """
        kinds = ("default", self._adapter or "default")
        names = {f"materialization_{materialization}_{kind}" for kind in kinds}
        names.update(_MATERIALIZATIONS[materialization])
        starts = (id_ for id_, macro in self._macros.items() if macro.name in names)
        reached = _reached(starts, self._calls) & self._macros.keys()
        names.update(self._macros[id_].name for id_ in reached)
        names.update([f"{self._adapter}__{name}" for name in names])
        # Its result is in the compiled code.
        own = (self._own & names) - {IS_INCREMENTAL}
        return tuple(
            sorted({*own, *(self._packages[name] for name in names & self._packages.keys())})
        )

    def _of_packages(self, known: set[str], dispatched: Iterable[str] | None) -> dict[str, str]:
        """Return the macros of packages that dbt may take before its own, by bare name.

        Those are materializations, and what `adapter.dispatch` finds where it searches a package
        first.
        """
        first = None if dispatched is None else set(dispatched)
        return {
            macro.name: f"{macro.package_name}.{macro.name}"
            for macro in self._macros.values()
            if macro.package_name not in known
            and (
                macro.name.startswith("materialization_")
                or ("__" in macro.name and (first is None or macro.package_name in first))
            )
        }


def _turned(edges: Mapping[str, list[str]]) -> dict[str, list[str]]:
    turned: dict[str, list[str]] = {}
    for start, ends in edges.items():
        for end in ends:
            turned.setdefault(end, []).append(start)
    return turned


def _names(code: str, words: Iterable[str]) -> bool:
    for word in words:  # noqa: SIM110 - several times as fast as any(), and called for each node
        if word in code:
            return True
    return False


def _reached(starts: Iterable[str], edges: Mapping[str, list[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        id_ = waiting.pop()
        if id_ not in reached:
            reached.add(id_)
            waiting.extend(edges.get(id_, ()))
    return reached
