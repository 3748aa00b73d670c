"""What dbt offers to the code of nodes, under its names, so that its use is recorded."""

from __future__ import annotations

import copy
import datetime as clock
import json
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.dbt_placeholders import SAMPLE, Moment, Placeholders
from airflow_dataops.core.manifests.dbt.touched import Kind
from airflow_dataops.core.model import RunValue
from airflow_dataops.core.plan.variables import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

_OF_THE_RUN = ("thread_id", "invocation_args_dict", "selected_resources")
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


class Watch:
    """Records what is touched in one place.

    Attributes:
        placeholders: what stands for values of the run.
        given: values that the compilation was given, by `kind:name`, as JSON; those of
            environment variables as digests.
        prints: whether it does there; else the value is looked at.
    """

    def __init__(
        self,
        record: Callable[[Kind, str], None],
        placeholders: Placeholders,
        given: dict[str, set[str]],
        *,
        prints: bool,
    ) -> None:
        self._record = record
        self._given = given
        self.placeholders = placeholders
        self.prints = prints

    def __call__(self, kind: Kind, name: str) -> None:
        """Record that something is touched."""
        self._record(kind, name)

    def give(self, kind: Kind, name: str, value: Any) -> Any:
        """Return a value that the compilation was given, and remember it."""
        self(kind, name)
        if not self.placeholders.real and not self.placeholders.has_mark(value):
            text = json.dumps(value, sort_keys=True, default=str)
            self._given.setdefault(f"{kind}:{name}", set()).add(text)
        return value

    def mark(self, value: RunValue, real: Any, kind: Kind) -> Any:
        """Return what stands for a value, or the value, recorded."""
        if self.prints:
            return self.placeholders.mark(value, real)
        self(kind, value.name or value.source)
        return real

    def moment(self, source: str, name: str, real: Any) -> Any:
        """Return what stands for a time, or the time, recorded."""
        if self.prints:
            return Moment.begin(self.placeholders, source, self)
        self(Kind.CLOCK, name)
        return real


def watched(key: str, value: Any, record: Watch) -> Any:
    """Return what dbt offers under a name, so that its use is recorded."""
    return WATCHED[key](key, value, record)


def _named(kind: Kind) -> Callable[[str, Any, Watch], Any]:
    def give(key: str, value: Any, record: Watch) -> Any:
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


def _adapter(_: str, value: Any, record: Watch) -> Any:
    def asked(name: str) -> None:
        if name == "config":
            record(Kind.TARGET, "adapter.config")
        elif name not in _ASKS_NOTHING:
            record(Kind.WAREHOUSE, f"adapter.{name}")

    return _Object(value, asked)


def _flags(_: str, value: Any, record: Watch) -> Any:
    def asked(name: str) -> None:
        refresh = name.upper() == "FULL_REFRESH"
        record(Kind.FULL_REFRESH if refresh else Kind.RUN, f"flags.{name}")

    return _Object(value, asked)


def _started(key: str, value: Any, record: Watch) -> Any:
    return record.moment(key, key, value)


def _invoked(key: str, value: Any, record: Watch) -> Any:
    real = "00000000-0000-0000-0000-000000000000"
    return record.mark(RunValue(source=key), real if record.prints else value, Kind.RUN)


class _Var(_Object):
    """`var`, which prints marks for the vars of the run."""

    passes_marks = True

    def __init__(self, value: Any, record: Watch) -> None:
        super().__init__(value, lambda name: record(Kind.VAR, name))
        self._record = record

    def __call__(self, name: Any, *default: Any, **named: Any) -> Any:
        if name not in self._record.placeholders.variables:
            return self._record.give(Kind.VAR, name, self._value(name, *default, **named))
        marks = self._record.placeholders
        given = default or tuple(named.values()) or (None,)
        known = self._value(name, *given)
        # What --vars gives for the compilation is no run's value; what the project gives is.
        own = _of_project(self._value)(name, *given)
        is_kept = type(own) in (str, int, float, bool) and not marks.has_mark(own)
        fixed = own if is_kept else None
        value = RunValue(source="var", name=name, default=fixed)
        return self._record.mark(
            value, SAMPLE if known is None else marks.without(known), Kind.RUN_VAR
        )


def _of_project(var: Any) -> Any:
    """Return dbt's `var` as it is where `--vars` gives nothing."""
    bare = copy.copy(var)
    bare._cli_vars = {}
    if config := getattr(var, "_config", None):
        bare._config = copy.copy(config)
        bare._config.cli_vars = {}
    bare._merged = bare._generate_merged()
    return bare


def _var(_: str, value: Any, record: Watch) -> Any:
    return _Var(value, record)


def _env_var(_: str, value: Any, record: Watch) -> Any:
    def asked(name: str, *default: Any, **named: Any) -> Any:
        found = value(name, *default, **named)
        record.give(Kind.ENV_VAR, name, digest_of(str(found)))
        return found

    return asked


def _target(_: str, value: Any, record: Watch) -> Any:
    def give(name: str, found: Any) -> Any:
        record(Kind.TARGET, f"target.{name}")
        return found

    return _Mapping(value, give) if isinstance(value, dict) else value


def _model(_: str, value: Any, record: Watch) -> Any:
    def give(name: str, found: Any) -> Any:
        if name == "created_at":
            record(Kind.CLOCK, "model.created_at")
        return found

    return _Mapping(value, give) if isinstance(value, dict) else value


def _modules(_: str, value: Any, record: Watch) -> Any:
    def give(name: str, found: Any) -> Any:
        return _Mapping(found, lambda name, found: times.get(name, found))

    times = _clocks(record)
    return _Mapping(value, lambda name, found: give(name, found) if name == "datetime" else found)


def _clocks(record: Watch) -> dict[str, Any]:
    """Return the classes of `modules.datetime` that tell the time, each of which says so."""

    class date(clock.date):  # noqa: N801 - they show their names
        @classmethod
        def today(cls) -> Any:
            return record.moment("today", "modules.datetime.date.today", super().today())

    class datetime(clock.datetime):  # noqa: N801
        @classmethod
        def now(cls, tz: clock.tzinfo | None = None) -> Any:
            if tz is None:
                return record.moment("now", "modules.datetime.datetime.now", super().now())
            record(Kind.CLOCK, "modules.datetime.datetime.now")
            return super().now(tz)

        @classmethod
        def utcnow(cls) -> Any:
            now = super().now(clock.UTC).replace(tzinfo=None)
            return record.moment("utcnow", "modules.datetime.datetime.utcnow", now)

        @classmethod
        def today(cls) -> Any:
            return record.moment("now", "modules.datetime.datetime.today", super().now())

    return {"date": date, "datetime": datetime}


def _all(_: str, value: Any, record: Watch) -> Any:
    """Watch names that are looked up in `context` or `builtins`."""

    def give(name: str, found: Any) -> Any:
        return watched(name, found, record) if name in WATCHED else found

    return _Mapping(value, give) if isinstance(value, dict) else value


WATCHED: dict[str, Callable[[str, Any, Watch], Any]] = {
    **dict.fromkeys(_OF_THE_RUN, _named(Kind.RUN)),
    "adapter": _adapter,
    "builtins": _all,
    "context": _all,
    "env": _target,
    "env_var": _env_var,
    "flags": _flags,
    "invocation_id": _invoked,
    "lipsum": _named(Kind.CHANCE),
    "model": _model,
    "modules": _modules,
    "run_started_at": _started,
    "target": _target,
    "var": _var,
}
