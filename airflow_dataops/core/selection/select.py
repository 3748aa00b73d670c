"""Project and expression -> ids of nodes, as dbt's `--select` and `--exclude` choose them."""

from __future__ import annotations

import warnings
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from airflow_dataops.core.selection.evaluate import Evaluation
from airflow_dataops.core.selection.grammar import parse_criterion, parse_expression
from airflow_dataops.core.selection.inputs import SelectionInputs
from airflow_dataops.core.selection.report import describe_unmatched
from airflow_dataops.core.selection.scope import Scope
from airflow_dataops.core.selection.spec import (
    Criterion,
    Group,
    IndirectSelection,
    MethodName,
    OnEmpty,
    SetOperator,
    Spec,
)
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.model import Project

_Choice = TypeVar("_Choice", bound=StrEnum)
_EVERYTHING = Group(
    text="everything",
    operator=SetOperator.UNION,
    parts=(parse_criterion("fqn:*"), parse_criterion("source:*")),
)


class SelectionWarning(UserWarning):
    """A part of an expression matched nothing."""


_OF_RESULTS = frozenset({MethodName.RESULT, MethodName.SOURCE_STATUS})
_REMEDY = "Mend the expression, or pass on_empty='warn' where nothing is an answer."


def select_nodes(
    project: Project,
    select: str | Sequence[str] | None = None,
    exclude: str | Sequence[str] | None = None,
    *,
    indirect: IndirectSelection = IndirectSelection.EAGER,
    inputs: SelectionInputs | None = None,
    on_empty: OnEmpty = OnEmpty.ERROR,
    remedy: str = _REMEDY,
) -> frozenset[str]:
    """Return the ids of the nodes that dbt would select.

    Args:
        project: what to select from.
        select: as for `dbt --select`: `"tag:daily,path:models/marts+ @stg_orders"`, or a list
            whose elements are united. None for the default selector, else for everything.
        exclude: what to leave out again, in the same language.
        indirect: which tests join by way of their parents.
        inputs: what `state:`, `result:`, `source_status:` and `selector:` look at.
        on_empty: whether a part that matches nothing raises or warns.
        remedy: what the error then tells its reader to do.

    Raises:
        ConfigError: the expression is wrong, lacks an input, or a part of it (or all of it)
            matches nothing.
    """
    return NodeSelector(project, inputs).select(
        select, exclude, indirect=indirect, on_empty=on_empty, remedy=remedy
    )


class NodeSelector:
    """Selects from one project; the indexes are shared by all of its selections."""

    def __init__(self, project: Project, inputs: SelectionInputs | None = None) -> None:
        self.project = project
        self._scope = Scope(project, inputs or SelectionInputs())

    def select(
        self,
        select: str | Sequence[str] | None = None,
        exclude: str | Sequence[str] | None = None,
        *,
        indirect: IndirectSelection = IndirectSelection.EAGER,
        on_empty: OnEmpty = OnEmpty.ERROR,
        remedy: str = _REMEDY,
    ) -> frozenset[str]:
        """Return the ids of the selected nodes; arguments and errors as for `select_nodes`."""
        indirect = _choice(IndirectSelection, indirect, "indirect")
        on_empty = _choice(OnEmpty, on_empty, "on_empty")
        spec = self._spec(select, exclude)
        evaluation = Evaluation(self._scope, indirect)
        ids = evaluation.run(spec).direct
        groups = [each for each in evaluation.unmatched if not (ids and _is_of_results(each))]
        unmatched = [describe_unmatched(self._scope, group) for group in groups]
        if not ids and not unmatched and self._scope.nodes:
            unmatched = [f"{spec.text!r} leaves nothing of the project"]
        if unmatched:
            _complain(self._scope.project, unmatched, on_empty, remedy)
        return frozenset(ids)

    def _spec(
        self, select: str | Sequence[str] | None, exclude: str | Sequence[str] | None
    ) -> Group:
        included = self._default(excluding=bool(exclude))
        if select is not None:
            included = parse_expression(select)
            if not included.parts:
                raise ConfigError("select is empty. Leave it out to take the whole project.")
        excluded = parse_expression(exclude or ())
        return Group(
            text=f"{included.text} except {excluded.text}" if excluded.parts else included.text,
            operator=SetOperator.DIFFERENCE,
            parts=(included, excluded),
        )

    def _default(self, *, excluding: bool) -> Spec:
        """Return what holds without `select`: the default selector yields to an `exclude`."""
        default = None if excluding else self._scope.selectors.default
        return parse_criterion(f"selector:{default}") if default else _EVERYTHING


def _is_of_results(group: Group) -> bool:
    """Tell whether it is an answer that nothing matches: nothing failed, or came anew.

    `result:error+ result:fail` means what went wrong, in one way or in the other.
    """
    return any(isinstance(p, Criterion) and p.method in _OF_RESULTS for p in group.parts)


def _choice(enum: type[_Choice], value: str, name: str) -> _Choice:
    """Take the plain text too: options often come from files."""
    try:
        return enum(value)
    except ValueError:
        raise ConfigError(f"{name} is one of {', '.join(enum)}, not {value!r}.") from None


def _complain(project: Project, unmatched: list[str], on_empty: OnEmpty, remedy: str) -> None:
    text = f"selection in project {project.name!r}: {'; '.join(unmatched)}."
    if on_empty is OnEmpty.WARN:
        warnings.warn(text, SelectionWarning, stacklevel=3)
    else:
        raise ConfigError(f"{text} {remedy}")
