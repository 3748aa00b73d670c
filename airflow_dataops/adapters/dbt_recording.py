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

import threading
from contextlib import contextmanager
from functools import partial, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.dbt_placeholders import Placeholders
from airflow_dataops.adapters.dbt_watched import WATCHED, Watch, watched
from airflow_dataops.adapters.dbt_watching import Watching, call_arguments, filters
from airflow_dataops.core.manifests.dbt.touched import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Undo = list[Callable[[], object]]

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

_TEXT = frozenset({"Compiler", "ConfiguredParser", "conditions", "render_test_update"})
"""What renders code, in which a value of the run may be text alone."""

_STORES_FAILURES = "macro.dbt.should_store_failures"
"""`--store-failures` of one run; it decides which columns a test shows, not what it finds."""


class Recorder:
    """Collects what was touched.

    Attributes:
        touched: `kind:name` by unique id of the node; of YAML files by `package://path`.
        given: values that were given to the compilation, see `Watch`.
        forgives: whether a node whose queries fail is left without code; else that is an error.
        answered: ids of the macros whose answer the caller sets: what they touch is nobody's.
        blind: why nothing could be recorded, if so.
        placeholders: what stands for values of the run.
        target: the name of dbt's target.
    """

    def __init__(self, variables: frozenset[str] = frozenset()) -> None:
        """`variables` are the vars that each run sets for itself."""
        self.touched: dict[str, set[str]] = {}
        self.given: dict[str, set[str]] = {}
        self.placeholders = Placeholders(variables)
        self.answered = {_STORES_FAILURES}
        self.blind: str | None = None
        self.target: str | None = None
        self.forgives = False
        self._resolved = False
        self._current = threading.local()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record in this block, in every thread."""
        undo: Undo = []
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
        if id_ is None or self.placeholders.real or self._is_answered(stack):
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

    def settle(self, kind: Kind) -> None:
        """Forget what was touched of a kind, for there is a rendering for each answer."""
        for id_, mine in self.touched.items():
            self.touched[id_] = {each for each in mine if not each.startswith(f"{kind}:")}

    def watch(self, context: Any) -> Watch:
        """Return what records for a Jinja context."""

        def record(kind: Kind, name: str) -> None:
            called = context.parent.get("context_macro_stack")
            self.record(kind, name, tuple(getattr(called, "call_stack", ())))

        current = vars(self._current)
        prints = current.get("owner") in _TEXT or current.get("method") in _TEXT
        return Watch(record, self.placeholders, self.given, prints=prints and self.blind is None)

    def _watch(self, undo: Undo) -> None:
        from dbt_common.clients.jinja import MacroFuzzEnvironment, template_cache

        for module, owner, method, place in _SEAMS:
            self._follow(getattr(import_module(module), owner), method, place, undo)
        module, owner, method, _ = _SEAMS[0]
        self._forgive(getattr(import_module(module), owner), method, undo)
        before = MacroFuzzEnvironment.context_class
        MacroFuzzEnvironment.context_class = self._context_class(before)
        undo.append(lambda: setattr(MacroFuzzEnvironment, "context_class", before))
        self._see_through(MacroFuzzEnvironment, undo)
        self._see_where(undo)
        self._see_filter(undo)
        self._see_target(undo)
        known = import_module("jinja2.defaults").DEFAULT_FILTERS
        added = filters(self.placeholders, self.watch)
        added["random"] = self._random(choose := known["random"])
        known.update(added)
        undo.extend(partial(known.pop, name) for name in added if name != "random")
        undo.append(lambda: known.update(random=choose))
        template_cache.clear()
        undo.append(template_cache.clear)

    def _see_through(self, environment: Any, undo: Undo) -> None:
        """Let all templates ask before they look at a value."""
        inner = environment._generate

        def generate(self: Any, source: Any, *args: Any, **kwargs: Any) -> Any:
            seeing = Watching().visit(source)
            seeing.set_environment(self)
            return inner(self, seeing, *args, **kwargs)

        environment._generate = generate
        undo.append(lambda: delattr(environment, "_generate"))

    def _see_where(self, undo: Undo) -> None:
        """Let the `where` of a test, which is a part of its code, have values as text."""
        builder = import_module("dbt.parser.generic_test_builders").TestBuilder
        inner = builder._render_values

        def render(of: Any, config: dict[str, Any]) -> Any:
            rest = {name: value for name, value in config.items() if name != "where"}
            rendered = inner(of, rest)
            if "where" in config:
                before = vars(self._current).copy()
                self._current.owner = "conditions"
                try:
                    rendered |= inner(of, {"where": config["where"]})
                finally:
                    vars(self._current).update(before)
            return rendered

        builder._render_values = render
        undo.append(lambda: setattr(builder, "_render_values", inner))

    def _see_target(self, undo: Undo) -> None:
        profile = import_module("dbt.config.profile").Profile
        inner = profile.to_target_dict

        def to_target_dict(of: Any) -> Any:
            self.target = of.target_name
            return inner(of)

        profile.to_target_dict = to_target_dict
        undo.append(lambda: setattr(profile, "to_target_dict", inner))

    def _see_filter(self, undo: Undo) -> None:
        """Let the `filter` of a source's freshness, which is SQL, have values as text."""
        renderer = import_module("dbt.config.renderer").BaseRenderer
        inner = renderer.render_entry

        def render(of: Any, value: Any, keypath: tuple[Any, ...]) -> Any:
            if keypath[-2:] != ("freshness", "filter"):
                return inner(of, value, keypath)
            before = vars(self._current).copy()
            self._current.owner = "conditions"
            try:
                return inner(of, value, keypath)
            finally:
                vars(self._current).update(before)

        renderer.render_entry = render
        undo.append(lambda: setattr(renderer, "render_entry", inner))

    def _follow(self, owner: Any, method: str, place: int, undo: Undo) -> None:
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
            self._current.owner, self._current.method = owner.__name__, method
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

    def _forgive(self, owner: Any, method: str, undo: Undo) -> None:
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
                if key in WATCHED and key in self.parent and key not in self.vars:
                    return watched(key, found, recorder.watch(self))
                return found

            def call(__self, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
                given, named = call_arguments(
                    __obj, args, kwargs, recorder.placeholders, lambda: recorder.watch(__self)
                )
                return super().call(__obj, *given, **named)

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
