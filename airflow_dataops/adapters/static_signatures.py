"""What operators take, read from their source: nothing of it is run.

Follows imports, aliases and base classes through files. Where that leads nowhere (a class that is
made at run time, a module in C), nothing is claimed.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.core.pipelines.calls import Signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BASE = "airflow.sdk.bases.operator.BaseOperator"
_TABLES = ("__lazy_imports", "_IMPORT_MAP")
_DEEPEST = 25
_PLAIN_BASES = ("object", "ABC", "Generic", "Protocol")
_CONTEXT = frozenset(
    {"conn", "context", "dag", "dag_run", "data_interval_end", "data_interval_start", "ds"}
    | {"ds_nodash", "inlet_events", "inlets", "logical_date", "macros", "outlet_events", "outlets"}
    | {"params", "run_id", "start_date", "task", "task_instance", "task_instance_key_str", "ti"}
    | {"triggering_asset_events", "ts", "ts_nodash", "ts_nodash_with_tz", "var"}
)
"""Parameters that Airflow fills in by their names."""


class _Module(NamedTuple):
    name: str
    names: dict[str, ast.AST]
    is_package: bool
    is_open: bool
    """Whether it may have names that its source does not show."""


class _Found(NamedTuple):
    node: ast.AST
    module: _Module


@dataclass
class _Gathered:
    """The arguments of a class so far.

    Attributes:
        own, every, required: see `Signature`.
        hidden: those that a class hands to its base by itself.
        is_changed: whether a constructor so far did more with its `**kwargs` than to hand them on.
    """

    own: dict[str, None] = field(default_factory=dict)
    every: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    is_changed: bool = False


class StaticSignatures:
    """Signatures, by import path.

    Args:
        folders: where modules are looked for, besides those of this Python.
    """

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._folders = [*dict.fromkeys([*folders, *(Path(each or ".") for each in sys.path)])]
        self._modules: dict[str, _Module | None] = {}
        self._known: dict[str, Signature | None] = {}

    def of(self, path: str) -> Signature | None:
        """Return what is known of an import path; see `core.pipelines.calls.Signatures`."""
        if path not in self._known:
            self._known[path] = self._signature(path)
        return self._known[path]

    def _signature(self, path: str) -> Signature | None:
        found = self._find(path)
        if found is None:
            return None
        node, module = found
        if isinstance(node, ast.ClassDef):
            return self._of_class(node, module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return self._of_function(node, module)
        return None

    def _find(self, path: str, depth: int = 0) -> _Found | None:
        """Return what a path names. Raises ValueError where it surely names nothing."""
        module_name, _, name = path.rpartition(".")
        if home := _homes().get(name) if module_name == "airflow_dataops" else None:
            module_name = home
        module = self._module(module_name)
        if module is None:
            raise ValueError(
                f"There is no module {module_name!r} here; is it installed, and on the path?"
            )
        node = module.names.get(name)
        if node is None:
            if module.is_open or self._module(path) is not None:
                return None
            near = did_you_mean(name, module.names)
            raise ValueError(f"The module {module_name} has no {name!r}{near or '.'}")
        if isinstance(node, ast.ImportFrom) and depth < _DEEPEST:
            return self._imported(node, name, module, depth)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and depth < _DEEPEST:
            return self._find(f"{module.name}.{node.value.id}", depth + 1)
        return _Found(node, module)

    def _imported(
        self, node: ast.ImportFrom, name: str, module: _Module, depth: int
    ) -> _Found | None:
        real = next((a.name for a in node.names if (a.asname or a.name) == name), name)
        base = module.name.split(".")
        if node.level:
            kept = len(base) - node.level + (1 if module.is_package else 0)
            start = base[:kept]
        else:
            start = []
        path = ".".join([*start, *filter(None, [node.module]), real])
        try:
            return self._find(path, depth + 1)
        except ValueError:
            return None

    def _module(self, name: str) -> _Module | None:
        if name not in self._modules:
            file = next(iter(self._files(name.split("."))), None)
            self._modules[name] = None if file is None else _parsed(name, file)
        return self._modules[name]

    def _files(self, parts: Sequence[str]) -> Iterator[Path]:
        folders: list[Path] = self._folders
        for part in parts[:-1]:
            folders = [each / part for each in folders if (each / part).is_dir()]
        for folder in folders:
            for file in (folder / parts[-1] / "__init__.py", folder / f"{parts[-1]}.py"):
                if file.is_file():
                    yield file
        for folder in folders:
            if (folder / parts[-1]).is_dir():
                yield folder / parts[-1]

    def _of_class(self, node: ast.ClassDef, module: _Module) -> Signature:
        gathered = _Gathered()
        is_open = self._gather(node, module, gathered, 0)
        hidden = gathered.hidden
        return Signature(
            own=tuple(name for name in gathered.own if name not in hidden),
            every=frozenset(gathered.every - hidden),
            required=frozenset(gathered.required - hidden),
            takes_any=is_open,
        )

    def _gather(self, node: ast.ClassDef, module: _Module, into: _Gathered, depth: int) -> bool:
        """Gather the arguments of a class and its bases; tell whether more may be taken."""
        made = next(
            (f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"), None
        )
        if made is not None:
            names, needed = _parameters(made.args)
            if f"{module.name}.{node.name}" == _BASE:
                into.every.update(names)
                return False
            into.own.update(dict.fromkeys(names))
            into.required.update(() if into.is_changed else needed)
            if made.args.kwarg is None:
                return False
            into.is_changed |= _changes(made, made.args.kwarg.arg)
            into.hidden.update(() if into.is_changed else _passed(made) - set(names))
        if not node.bases or depth >= _DEEPEST:
            # A class of attrs or the like is decorated: it has a constructor that cannot be seen.
            return bool(node.decorator_list) or depth >= _DEEPEST
        opens = [self._gather_base(base, module, into, depth) for base in node.bases]
        return any(opens)

    def _gather_base(self, base: ast.expr, module: _Module, into: _Gathered, depth: int) -> bool:
        base = base.value if isinstance(base, ast.Subscript) else base
        if not isinstance(base, ast.Name):
            return True
        try:
            found = self._find(f"{module.name}.{base.id}")
        except ValueError:
            found = None
        if found is None or not isinstance(found.node, ast.ClassDef):
            return base.id not in _PLAIN_BASES
        return self._gather(found.node, found.module, into, depth + 1)

    def _of_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, module: _Module
    ) -> Signature:
        names, needed = _parameters(node.args, skip=0)
        more = self._unpacked(node.args.kwarg, module)
        base = self.of(_BASE)
        return Signature(
            own=tuple(dict.fromkeys([*names, *(more or ())])),
            every=base.every if base else frozenset(),
            required=frozenset(needed) - _CONTEXT,
            takes_any=base is None or (node.args.kwarg is not None and more is None),
        )

    def _unpacked(self, rest: ast.arg | None, module: _Module) -> list[str] | None:
        """Return the names that `**rest: Unpack[Arguments]` takes; None where that is any."""
        kind = rest.annotation if rest is not None else None
        if not (isinstance(kind, ast.Subscript) and isinstance(kind.slice, ast.Name)):
            return None
        found = self._find(f"{module.name}.{kind.slice.id}")
        if found is None or not isinstance(found.node, ast.ClassDef):
            return None
        names: list[str] = []
        self._gather_fields(found, names, 0)
        return names

    def _gather_fields(self, found: _Found, names: list[str], depth: int) -> None:
        node, module = found
        if not isinstance(node, ast.ClassDef) or depth >= _DEEPEST:
            return
        names += [
            each.target.id
            for each in node.body
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
        ]
        for base in node.bases:
            above = self._find(f"{module.name}.{base.id}") if isinstance(base, ast.Name) else None
            if above is not None:
                self._gather_fields(above, names, depth + 1)


def _parameters(arguments: ast.arguments, skip: int = 1) -> tuple[list[str], list[str]]:
    """Return the names of all parameters, and of those without a default."""
    plain = [*arguments.posonlyargs, *arguments.args]
    with_default = len(arguments.defaults)
    needed = [each.arg for each in plain[skip : len(plain) - with_default]]
    needed += [
        each.arg
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return [each.arg for each in (*plain[skip:], *arguments.kwonlyargs)], needed


def _changes(made: ast.FunctionDef, rest: str) -> bool:
    """Tell whether a constructor does more with its `**kwargs` than to hand them on."""
    handed = {
        id(keyword.value)
        for call in ast.walk(made)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg is None
    }
    return any(
        isinstance(node, ast.Name) and node.id == rest and id(node) not in handed
        for node in ast.walk(made)
    )


def _passed(made: ast.FunctionDef) -> set[str]:
    """Return the arguments that a constructor hands to that of its base by itself."""
    return {
        keyword.arg
        for call in ast.walk(made)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "__init__"
        for keyword in call.keywords
        if keyword.arg is not None
    }


def _parsed(name: str, file: Path) -> _Module | None:
    if file.is_dir():
        return _Module(name, {}, is_package=True, is_open=True)
    try:
        tree = ast.parse(read_regular(file))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return _Module(name, {}, is_package=file.name == "__init__.py", is_open=True)
    names: dict[str, ast.AST] = {}
    is_open = False
    for node in _top(tree.body):
        for found, made in _named(node).items():
            # Of `if` and `else`, or `try` and `except`, the first is for what is installed today.
            names.setdefault(found, made)
        is_open |= isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    is_open |= "__getattr__" in names
    return _Module(name, names, is_package=file.name == "__init__.py", is_open=is_open)


def _named(node: ast.stmt) -> dict[str, ast.AST]:
    """Return the names that a statement of a module makes."""
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return {node.name: node}
        case ast.ImportFrom():
            return {a.asname or a.name: node for a in node.names}
        case ast.Import():
            return {a.asname or a.name.partition(".")[0]: node for a in node.names}
        case ast.Assign():
            return {t.id: node for t in node.targets if isinstance(t, ast.Name)} | _lazy(node)
        case ast.AnnAssign() if isinstance(node.target, ast.Name):
            return {node.target.id: node} | _lazy(node)
    return {}


def _top(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those in its conditions and tries as well."""
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from _top(node.body)
            yield from _top(node.orelse)
            for handler in getattr(node, "handlers", ()):
                yield from _top(handler.body)
        else:
            yield node


def _lazy(node: ast.Assign | ast.AnnAssign) -> dict[str, ast.AST]:
    """Return what a module with a table of lazy imports, as `airflow.sdk`, hands on.

    The providers' `common.compat.sdk` has for each name the modules that it may be in.
    """
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if not any(isinstance(t, ast.Name) and t.id in _TABLES for t in targets):
        return {}
    if not isinstance(node.value, ast.Dict):
        return {}
    found: dict[str, ast.AST] = {}
    for key, value in zip(node.value.keys, node.value.values, strict=True):
        home = value.elts[0] if isinstance(value, ast.Tuple) and value.elts else value
        if isinstance(key, ast.Constant) and isinstance(home, ast.Constant):
            path = str(home.value)
            level = len(path) - len(path.lstrip("."))
            found[str(key.value)] = ast.ImportFrom(
                module=path.lstrip("."), names=[ast.alias(name=str(key.value))], level=level
            )
    return found


@cache
def _homes() -> dict[str, str]:
    import airflow_dataops

    found: dict[str, str] = vars(airflow_dataops)["_HOMES"]
    return found
