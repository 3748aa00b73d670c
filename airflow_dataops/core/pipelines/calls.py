"""Arguments of tasks, checked against what their operators take."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.core.pipelines.report import listed, near

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from airflow_dataops.core.pipelines.located import Map
    from airflow_dataops.core.pipelines.report import Path, Report


class Signature(NamedTuple):
    """What an operator's class, or a function, takes.

    Attributes:
        own: its arguments, the nearest first.
        every: those of any operator, which it takes besides.
        required: those it needs.
        takes_any: whether it takes others as well, as far as can be told.
    """

    own: tuple[str, ...]
    every: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    takes_any: bool = False

    def takes(self, name: str) -> bool:
        """Tell whether it takes an argument."""
        return self.takes_any or name in self.own or name in self.every


class Signatures(Protocol):
    """Tells what operators take."""

    def of(self, path: str) -> Signature | None:
        """Return the signature of what an import path names, None where it cannot be told.

        Raises:
            ValueError: there is no such module, or nothing of that name in it.
        """


class Call(NamedTuple):
    """A task with its arguments, where they are written.

    Attributes:
        operator: an import path.
        blocks: mappings with arguments, each with its JSON path.
        defaults: names of the default arguments that hold for it.
        is_open: whether arguments may come from elsewhere (`expand_kwargs`).
        group: whether it makes a group of tasks.
    """

    operator: str
    task: Map
    path: Path
    blocks: tuple[tuple[Map, Path], ...]
    defaults: frozenset[str]
    is_open: bool = False


OF_FACTORY = frozenset({"group_id", "task_id", "dag", "task_group"})
"""What the place in the file tells."""


def check_call(call: Call, signatures: Signatures, report: Report) -> None:
    """Report arguments that nobody takes, and those that are missing."""
    try:
        signature = signatures.of(call.operator)
    except ValueError as error:
        report.value("unknown-operator", str(error), call.task, "operator", call.path)
        return
    if signature is None:
        return
    given: set[str] = set()
    for block, path in call.blocks:
        given.update(map(str, block))
        for name in block:
            if isinstance(name, str) and not signature.takes(name):
                told = f"{_short(call.operator)} takes no argument {name!r}"
                told += _near(name, signature)
                report.key("unknown-argument", told, block, name, path)
    missing = signature.required - given - call.defaults - OF_FACTORY
    if missing and not call.is_open:
        told = f"{_short(call.operator)} needs {', '.join(sorted(missing))}."
        report.add("missing-argument", told, call.task.at, call.path)


def check_defaults(
    names: Collection[str],
    default_args: Map,
    path: Path,
    calls: Iterable[Call],
    signatures: Signatures,
    report: Report,
) -> None:
    """Report default arguments that no operator takes: Airflow would say nothing."""
    inside = [call for call in calls if call.path[: len(path) - 1] == path[:-1]]
    taking: list[Signature] = []
    for call in inside:
        try:
            found = signatures.of(call.operator)
        except ValueError:
            continue
        if found is None or found.takes_any:
            return
        taking.append(found)
    known = {name for each in taking for name in (*each.own, *each.every)}
    for name in names:
        if known and name not in known:
            told = f"No operator takes the default argument {name!r}{near(name, known)}"
            report.key("unknown-argument", told, default_args, name, path)


def _near(name: str, signature: Signature) -> str:
    """Return the nearest name; those of the operator itself come before those of any."""
    known: tuple[Collection[str], ...] = (signature.own, signature.every, _STRUCTURE)
    hint = next((hint for names in known if (hint := did_you_mean(name, names))), "")
    return hint or listed(signature.own) + "."


_STRUCTURE = (
    *("operator", "depends_on", "arguments", "expand", "partial", "expand_kwargs"),
    *("setup", "teardown", "sla", "tasks"),
)
"""Keys of a task that are no arguments."""


def _short(path: str) -> str:
    return path.rpartition(".")[2]
