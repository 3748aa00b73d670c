"""Jinja that asks before anything but printing looks at a value.

Jinja's own code generator is given a template in which all that compares, cuts, counts or gives a
value to Python has a filter in front of it, `seen`: so a mark for a value of the run (see
`dbt_placeholders`) can only be joined with other text and printed.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.runtime import Macro, Undefined
from jinja2.utils import Cycler, Joiner, Namespace, pass_context
from jinja2.visitor import NodeTransformer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_dataops.adapters.dbt_placeholders import Placeholders, Record

_SEEN = "_dataops_seen"
_TRUE = "_dataops_true"
_INSIDE = "_dataops_inside"
_ADD = "_dataops_add"
_MOD = "_dataops_mod"

_PRINTING = frozenset({"as_text", "d", "default", "join", "safe", "string"})
"""Filters that join and print."""
_ELEMENTS = frozenset({"count", "first", "items", "last", "length", "list", "reverse"})
"""Filters that look at the elements of a list, and at the letters of a text."""
_TYPE_TESTS = frozenset({"defined", "mapping", "none", "undefined"})
_ARITHMETIC = (nodes.Div, nodes.FloorDiv, nodes.Mul, nodes.Pow)
_KEEPING = frozenset({"append", "extend", "insert", "setdefault", "update"})
"""Methods of containers that keep what they are given."""
_DBT_KEEPING = frozenset({"_return", "_print", "log"})
"""Functions of dbt that pass on, or show."""


class Watching(NodeTransformer):
    """Puts filters in front of all that looks at a value."""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: D102, N802
        self.generic_visit(node)
        node.expr = _filtered(node.expr, _SEEN)
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, _SEEN)
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: D102, N802
        self.generic_visit(node)
        if node.name not in _TYPE_TESTS:
            node.node = _filtered(node.node, _SEEN)
            node.args = [_filtered(each, _SEEN) for each in node.args]
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: D102, N802
        self.generic_visit(node)
        if node.name in (_SEEN, _TRUE, _INSIDE, _ADD, _MOD) or node.name in _PRINTING:
            if node.name in ("d", "default") and (len(node.args) > 1 or node.kwargs):
                node.node = _filtered(node.node, _TRUE)
            return node
        node.node = _filtered(node.node, _INSIDE if node.name in _ELEMENTS else _SEEN)
        node.args = [_filtered(each, _SEEN) for each in node.args]
        for pair in node.kwargs:
            pair.value = _filtered(pair.value, _SEEN)
        return node

    def visit_If(self, node: nodes.If) -> nodes.Node:  # noqa: D102, N802
        self.generic_visit(node)
        node.test = _filtered(node.test, _TRUE)
        return node

    visit_CondExpr = visit_If  # noqa: N815

    def visit_Not(self, node: nodes.Not) -> nodes.Node:  # noqa: D102, N802
        self.generic_visit(node)
        node.node = _filtered(node.node, _TRUE)
        return node

    def visit_And(self, node: nodes.And) -> nodes.Node:  # noqa: D102, N802
        self.generic_visit(node)
        node.left = _filtered(node.left, _TRUE)
        return node

    visit_Or = visit_And  # noqa: N815

    def visit_Add(self, node: nodes.Add) -> nodes.Node:  # noqa: D102, N802
        self.generic_visit(node)
        added: nodes.Node = _filtered(node.left, _ADD, node.right)
        return added

    def visit_Mod(self, node: nodes.Mod) -> nodes.Node:  # noqa: D102, N802
        self.generic_visit(node)
        formatted: nodes.Node = _filtered(node.left, _MOD, node.right)
        return formatted

    def visit_Sub(self, node: nodes.Sub) -> nodes.Node:  # noqa: N802
        """Leave moments alone, which know how to subtract."""
        self.generic_visit(node)
        node.left, node.right = _filtered(node.left, _INSIDE), _filtered(node.right, _INSIDE)
        return node

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        """Look at what has no rule of its own."""
        super().generic_visit(node, *args, **kwargs)
        match node:
            case nodes.Getattr():
                node.node = _filtered(node.node, _INSIDE)
            case nodes.Getitem():
                node.node = _filtered(node.node, _INSIDE)
                if not isinstance(node.arg, nodes.Slice | nodes.Const):
                    node.arg = _filtered(node.arg, _SEEN)
            case nodes.For():
                node.iter = _filtered(node.iter, _INSIDE)
                if node.test is not None:
                    node.test = _filtered(node.test, _TRUE)
            case nodes.Pair():
                node.key = _filtered(node.key, _SEEN)
            case nodes.Neg() | nodes.Pos():
                node.node = _filtered(node.node, _SEEN)
            case nodes.BinExpr() if isinstance(node, _ARITHMETIC):
                node.left, node.right = _filtered(node.left, _SEEN), _filtered(node.right, _SEEN)
        return node


def _filtered(node: Any, name: str, *args: Any) -> Any:
    if isinstance(node, nodes.Const) and not args:
        return node
    lineno = getattr(node, "lineno", 0)
    return nodes.Filter(node, name, list(args), [], None, None, lineno=lineno)


def filters(placeholders: Placeholders, recording: Callable[[Any], Record]) -> dict[str, Any]:
    """Return the filters that `Watching` puts into templates, by name.

    Args:
        recording: returns what records for a Jinja context.
    """
    marks = placeholders

    @pass_context
    def seen(context: Any, value: Any) -> Any:
        return marks.seen(value, recording(context)) if marks.has_mark(value) else value

    @pass_context
    def true(context: Any, value: Any) -> Any:
        return marks.true(value, recording(context)) if marks.has_mark(value) else value

    @pass_context
    def inside(context: Any, value: Any) -> Any:
        return seen(context, value) if isinstance(value, str) else value

    @pass_context
    def add(context: Any, left: Any, right: Any) -> Any:
        if (isinstance(left, str) and isinstance(right, str)) or _keeps_time(left, right):
            return left + right
        if type(left) is type(right) and isinstance(left, list | tuple):
            return left + right
        return seen(context, left) + seen(context, right)

    @pass_context
    def mod(context: Any, left: Any, right: Any) -> Any:
        if isinstance(left, str) and not marks.has_mark(left) and _prints_only(left):
            return left % (tuple(map(str, right)) if isinstance(right, tuple) else str(right))
        return seen(context, left) % seen(context, right)

    return {_SEEN: seen, _TRUE: true, _INSIDE: inside, _ADD: add, _MOD: mod}


def _keeps_time(left: Any, right: Any) -> bool:
    names = {type(left).__name__, type(right).__name__}
    return names == {"Moment", "timedelta"}


def _prints_only(form: str) -> bool:
    """Tell whether a text for `%` puts its values into it as they print."""
    return "%" not in form.replace("%s", "").replace("%%", "")


def call_arguments(
    called: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    placeholders: Placeholders,
    record: Callable[[], Record],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call; those of a function that may look at them without marks."""
    given = (*args, *kwargs.values())
    if not any(map(placeholders.has_mark, given)) or _passes_on(called):
        return args, dict(kwargs)
    recording = record()
    return (
        tuple(placeholders.seen(each, recording) for each in args),
        {
            name: each if _is_condition(called, name) else placeholders.seen(each, recording)
            for name, each in kwargs.items()
        },
    )


def _is_condition(called: Any, name: str) -> bool:
    """Tell whether an argument is the `where` of a test's `config(...)`, a part of its SQL."""
    return name == "where" and type(called).__name__.endswith("ConfigObject")


def _passes_on(called: Any) -> bool:
    from dbt_common.clients.jinja import BaseMacroGenerator

    if isinstance(called, Macro | BaseMacroGenerator | Undefined | Cycler | Joiner):
        return True
    if called in (Namespace, dict) or getattr(called, "passes_marks", False):
        return True
    owner = getattr(called, "__self__", None)
    name = getattr(called, "__name__", "")
    if type(owner).__name__ == "Moment":
        return True
    if type(owner) in (list, dict) and name in _KEEPING:
        return True
    bound = getattr(called, "__wrapped__", called)
    form = getattr(bound, "__self__", None)
    if isinstance(form, str) and getattr(bound, "__name__", "") == "format":
        return _fills_only(form)
    return name in _DBT_KEEPING and getattr(called, "__module__", "").startswith("dbt.")


def _fills_only(form: str) -> bool:
    """Tell whether a text for `format` puts its values into it as they print."""
    try:
        fields = list(string.Formatter().parse(form))
    except ValueError:
        return False
    return all(
        name is None or (not spec and not conversion and not {".", "["} & set(name))
        for _, name, spec, conversion in fields
    )
