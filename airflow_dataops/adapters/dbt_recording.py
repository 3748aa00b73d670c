"""What the nodes of a dbt project touch while dbt renders them.

Compiled SQL is what dbt found when it compiled: the answer of a query, the time, the id of a run.
Such a node must not run from its compiled SQL. Instead of guessing from words in the code, names
are watched as Jinja resolves them, and what is behind them as it is used. Everything that the
adapter offers counts as asking the warehouse, but for what is known to ask nothing.

This is the one file that knows dbt's insides (as of dbt-core 1.9 to 1.11): `_SEAMS`, and that one
class of Jinja environment makes all contexts. Where they changed, `Recorder.blind` says so, and
the caller judges by words instead.
"""

from __future__ import annotations

import datetime as clock
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any

from airflow_dataops.core.manifests.dbt.touched import Kind

Record = Callable[[Kind, str], None]

_OF_THE_RUN = ("invocation_id", "thread_id", "invocation_args_dict", "selected_resources")
_ASKS_NOTHING = frozenset(
    {
        "Column",
        "Relation",
        "behavior",
        "build_catalog_relation",
        "convert_type",
        "dispatch",
        "escape_sql_string",
        "get_binding_char",
        "parse_index",
        "parse_partition_by",
        "quote",
        "quote_as_configured",
        "quote_seed_column",
        "render_raw_columns_constraints",
        "render_raw_model_constraints",
        "standardize_grants_dict",
        "type",
        "valid_incremental_strategies",
    }
)
"""What of `adapter` answers from the project alone."""

_SEAMS = (
    ("dbt.compilation", "Compiler", "_compile_code", 1),
    ("dbt.parser.base", "ConfiguredParser", "render_with_context", 1),
    ("dbt.parser.base", "RelationUpdate", "__call__", 1),
    ("dbt.parser.schema_generic_tests", "SchemaGenericTestParser", "render_test_update", 1),
    ("dbt.parser.schema_generic_tests", "SchemaGenericTestParser", "parse_generic_test", 0),
    ("dbt.parser.schemas", "SchemaParser", "parse_file", 1),
)
"""Module, class, method, and place of the argument that tells what is rendered: 0 for the result.
"""

_COMPILING = "Compiler"
_NAMING = "RelationUpdate"
"""Gives a node its database, schema and alias, which are those of the target, and are to be."""

_GIVEN = frozenset({Kind.TARGET, Kind.ENV_VAR, Kind.VAR})

_STORES_FAILURES = "macro.dbt.should_store_failures"
"""`--store-failures` of one run; it decides which columns a test shows, not what it finds."""


class Recorder:
    """Collects what was touched.

    Attributes:
        touched: `kind:name` by unique id of the node; of YAML files by `package://path`.
        forgives: whether a node whose queries fail is left without code; else that is an error.
        answered: ids of the macros whose answer the caller sets: what they touch is nobody's.
        blind: why nothing could be recorded, if so.
    """

    def __init__(self) -> None:
        self.touched: dict[str, set[str]] = {}
        self.answered = {_STORES_FAILURES}
        self.blind: str | None = None
        self.forgives = False
        self._resolved = False
        self._current = threading.local()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record in this block, in every thread."""
        undo: list[Callable[[], None]] = []
        try:
            try:
                self._watch(undo)
            except (ImportError, AttributeError) as error:
                self.blind = f"this dbt is built otherwise: {error}"
            yield
            if not self._resolved:
                self.blind = self.blind or "this dbt resolves names in another way"
        finally:
            for step in reversed(undo):
                step()

    def record(self, kind: Kind, name: str, stack: tuple[str, ...] = ()) -> None:
        """Record that what is being rendered touches something.

        Args:
            stack: ids of the macros it is in, the outermost first; that one is named.
        """
        id_ = getattr(self._current, "id", None)
        if id_ is None or self._is_answered(stack):
            return
        if kind in _GIVEN and self._current.owner == _NAMING:
            return
        if kind is Kind.WAREHOUSE and stack:
            name = stack[0].removeprefix("macro.").removeprefix("dbt.")
        self.touched.setdefault(id_, set()).add(f"{kind}:{name}")

    def _is_answered(self, stack: tuple[str, ...]) -> bool:
        """Say whether it is asked for an answer that the caller sets when the code is compiled."""
        parsing = self._current.owner != _COMPILING
        return bool(self.answered.intersection(stack)) or (
            parsing and any(id_.endswith(".is_incremental") for id_ in stack)
        )

    def _watch(self, undo: list[Callable[[], None]]) -> None:
        from dbt_common.clients.jinja import MacroFuzzEnvironment

        for module, owner, method, place in _SEAMS:
            self._follow(getattr(import_module(module), owner), method, place, undo)
        module, owner, method, _ = _SEAMS[0]
        self._forgive(getattr(import_module(module), owner), method, undo)
        before = MacroFuzzEnvironment.context_class
        MacroFuzzEnvironment.context_class = self._context_class(before)
        undo.append(lambda: setattr(MacroFuzzEnvironment, "context_class", before))
        filters = import_module("jinja2.defaults").DEFAULT_FILTERS
        choose = filters["random"]
        filters["random"] = self._random(choose)
        undo.append(lambda: filters.__setitem__("random", choose))

    def _follow(self, owner: Any, method: str, place: int, undo: list[Callable[[], None]]) -> None:
        """Keep in mind, while a method runs, which node or file it is for."""
        inner = getattr(owner, method)

        @wraps(inner)
        def followed(*args: Any, **kwargs: Any) -> Any:
            before = vars(self._current).copy()
            unnamed = f"{threading.get_ident()}:{method}"
            if len(args) <= place:
                self.blind = f"this dbt calls {method} in another way"
            else:
                self._current.id = _id_of(args[place]) if place else unnamed
            self._current.owner = owner.__name__
            try:
                result = inner(*args, **kwargs)
                if not place and (mine := self.touched.pop(unnamed, None)):
                    self.touched.setdefault(result.unique_id, set()).update(mine)
                return result
            finally:
                vars(self._current).clear()
                vars(self._current).update(before)

        setattr(owner, method, followed)
        undo.append(lambda: setattr(owner, method, inner))

    def _forgive(self, owner: Any, method: str, undo: list[Callable[[], None]]) -> None:
        """Leave a node without code if what it asks the warehouse is not to be had.

        Only dbt can run it anyway, when its tables may be there.
        """
        from dbt_common.exceptions import DbtBaseException

        inner = getattr(owner, method)

        @wraps(inner)
        def forgiving(compiler: Any, node: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return inner(compiler, node, *args, **kwargs)
            except DbtBaseException:
                asked = f"{Kind.WAREHOUSE}:"
                mine = self.touched.get(node.unique_id, ())
                if not self.forgives or not any(each.startswith(asked) for each in mine):
                    raise
                node.compiled_code, node.compiled = "", True
                return node

        setattr(owner, method, forgiving)
        undo.append(lambda: setattr(owner, method, inner))

    def _context_class(self, base: Any) -> Any:
        """Return a Jinja context that gives out watched values for what dbt offers."""
        recorder = self

        class Context(base):  # type: ignore[misc]
            def resolve_or_missing(self, key: str) -> Any:
                recorder._resolved = True
                found = super().resolve_or_missing(key)
                if key in _WATCHED and key in self.parent and key not in self.vars:

                    def record(kind: Kind, name: str) -> None:
                        called = self.parent.get("context_macro_stack")
                        stack = tuple(getattr(called, "call_stack", ()))
                        recorder.record(kind, name, stack)

                    return watched(key, found, record)
                return found

        return Context

    def _random(self, choose: Any) -> Any:
        @wraps(choose)
        def random(*args: Any) -> Any:
            self.record(Kind.CHANCE, "random")
            return choose(*args)

        return random


def _id_of(rendered: Any) -> str | None:
    """Return the id of a node; of the block of a YAML file its name as `patch_path` has it."""
    file = getattr(rendered, "file", None)
    if file is None:
        return getattr(rendered, "unique_id", None)
    return f"{file.project_name}://{file.path.original_file_path}"


def watched(key: str, value: Any, record: Record) -> Any:
    """Return what dbt offers under a name, so that its use is recorded."""
    return _WATCHED[key](key, value, record)


def _named(kind: Kind) -> Callable[[str, Any, Record], Any]:
    def give(key: str, value: Any, record: Record) -> Any:
        record(kind, key)
        return value

    return give


class _Object:
    """An object of which each attribute that is asked for is recorded."""

    def __init__(self, value: Any, asked: Callable[[str], None]) -> None:
        self._value = value
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._value, name)  # Jinja asks for marks that are not there
        self._asked(name)
        return found

    def __getitem__(self, name: Any) -> Any:
        self._asked(str(name))
        return self._value[name]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._asked(str(args[0]) if args else "")
        return self._value(*args, **kwargs)


class _Mapping(dict[str, Any]):
    """A mapping of which each entry that is asked for is recorded, or stands for another."""

    def __init__(self, values: dict[str, Any], give: Callable[[str, Any], Any]) -> None:
        super().__init__(values)
        self._behind = values
        self._give = give

    def __getitem__(self, name: str) -> Any:
        return self._give(name, super().__getitem__(name))

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._behind[name] = value

    def update(self, *args: Any, **kwargs: Any) -> None:
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 - that is what this is

    def values(self) -> Any:
        return [self[name] for name in self]

    def items(self) -> Any:
        return [(name, self[name]) for name in self]


def _adapter(_: str, value: Any, record: Record) -> Any:
    def asked(name: str) -> None:
        if name == "config":
            record(Kind.TARGET, "adapter.config")
        elif name not in _ASKS_NOTHING:
            record(Kind.WAREHOUSE, f"adapter.{name}")

    return _Object(value, asked)


def _flags(_: str, value: Any, record: Record) -> Any:
    def asked(name: str) -> None:
        refresh = name.upper() == "FULL_REFRESH"
        record(Kind.FULL_REFRESH if refresh else Kind.RUN, f"flags.{name}")

    return _Object(value, asked)


def _called(kind: Kind) -> Callable[[str, Any, Record], Any]:
    def give(_: str, value: Any, record: Record) -> Any:
        return _Object(value, lambda name: record(kind, name))

    return give


def _target(_: str, value: Any, record: Record) -> Any:
    def give(name: str, found: Any) -> Any:
        record(Kind.TARGET, f"target.{name}")
        return found

    return _Mapping(value, give) if isinstance(value, dict) else value


def _model(_: str, value: Any, record: Record) -> Any:
    def give(name: str, found: Any) -> Any:
        if name == "created_at":
            record(Kind.CLOCK, "model.created_at")
        return found

    return _Mapping(value, give) if isinstance(value, dict) else value


def _modules(_: str, value: Any, record: Record) -> Any:
    def give(name: str, found: Any) -> Any:
        return _Mapping(found, lambda name, found: times.get(name, found))

    times = _clocks(record)
    return _Mapping(value, lambda name, found: give(name, found) if name == "datetime" else found)


def _clocks(record: Record) -> dict[str, Any]:
    """Return the classes of `modules.datetime` that tell the time, each of which says so."""

    class date(clock.date):  # noqa: N801 - they show their names
        @classmethod
        def today(cls) -> Any:
            record(Kind.CLOCK, "modules.datetime.date.today")
            return super().today()

    class datetime(clock.datetime):  # noqa: N801
        @classmethod
        def now(cls, tz: clock.tzinfo | None = None) -> Any:
            record(Kind.CLOCK, "modules.datetime.datetime.now")
            return super().now(tz)

        @classmethod
        def utcnow(cls) -> Any:
            record(Kind.CLOCK, "modules.datetime.datetime.utcnow")
            return super().now(clock.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            record(Kind.CLOCK, "modules.datetime.datetime.today")
            return super().now()

    return {"date": date, "datetime": datetime}


def _all(_: str, value: Any, record: Record) -> Any:
    """Watch names that are looked up in `context` or `builtins`."""

    def give(name: str, found: Any) -> Any:
        return watched(name, found, record) if name in _WATCHED else found

    return _Mapping(value, give) if isinstance(value, dict) else value


_WATCHED: dict[str, Callable[[str, Any, Record], Any]] = {
    **dict.fromkeys(_OF_THE_RUN, _named(Kind.RUN)),
    "adapter": _adapter,
    "builtins": _all,
    "context": _all,
    "env": _target,
    "env_var": _called(Kind.ENV_VAR),
    "flags": _flags,
    "lipsum": _named(Kind.CHANCE),
    "model": _model,
    "modules": _modules,
    "run_started_at": _named(Kind.CLOCK),
    "target": _target,
    "var": _called(Kind.VAR),
}
