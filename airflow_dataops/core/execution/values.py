"""Values of the run, put into compiled code where dbt would print them.

A time goes through the steps that the model's Jinja takes: `("strftime", "%Y")`. A value is data:
within quotes it is escaped as the engine has it, elsewhere only a number or a plain name will do.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from airflow_dataops.core.engines.registry import get_engine
from airflow_dataops.core.model import Place, Struct
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_dataops.core.model import Code, RunValue, Slot

READ = frozenset(("year", "month", "day", "hour", "minute", "second", "microsecond"))
"""Attributes of a time that a step may read."""
CALLED = frozenset(("weekday", "isoweekday", "timestamp", "toordinal", "ctime"))
"""Its methods without arguments that give no other time."""

_FORMS = {
    Place.NAME: (re.compile(r"[\w .:+-]+"), "letters, digits, blanks and . : + - _"),
    Place.WORD: (re.compile(r"[A-Za-z0-9_]+"), "letters A to Z, digits and _"),
    Place.BARE: (
        re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|[A-Za-z_][A-Za-z0-9_]*"),
        "a number or a plain name",
    ),
    Place.COMMENT: (re.compile(r"[\w .:+-]*"), "letters, digits, blanks and . : + - _"),
}
BATCH_BEGIN, BATCH_END = "batch_begin", "batch_end"
_OF_BATCH = (BATCH_BEGIN, BATCH_END)
"""Sources of the times of a batch."""
_PLAIN = (str, int, float, Decimal, date)


class RunValues(Struct, frozen=True):
    """What one run of a DAG has for itself.

    Attributes:
        variables: dbt's vars of the run, by name.
        started_at: when it started, with a time zone; None for now.
        invocation_id: one for all of its tasks; empty where there is no run.
        batch: from when to when a batch of a microbatch model is; None before it is known, and
            then the places for it are kept.
    """

    variables: dict[str, Any] = {}
    started_at: datetime | None = None
    invocation_id: str = ""
    batch: tuple[datetime, datetime] | None = None


def with_values(code: Code, run: RunValues, dialect: str, where: str) -> Code:
    """Return code with the values of the run in it.

    Args:
        where: the node, for errors.

    Raises:
        ConfigError: a var has no value, or one that cannot stand where the code has it.
    """
    texts, kept = {}, {}
    for name, slots in code.slots.items():
        if (text := getattr(code, name, None)) is None:
            continue
        texts[name], left = _filled(text, slots, run, dialect, where)
        if left:
            kept[name] = left
    return replace(code, **texts, slots=kept) if code.slots else code


def filled(text: str, slots: Sequence[Slot], run: RunValues, dialect: str, where: str) -> str:
    """Return a text with values of the run in the places for them; see `with_values`."""
    return _filled(text, slots, run, dialect, where)[0]


def _filled(
    text: str, slots: Sequence[Slot], run: RunValues, dialect: str, where: str
) -> tuple[str, tuple[Slot, ...]]:
    """Return also the places that are left, where they are now."""
    parts, left, at, length = [], [], 0, 0
    for slot in slots:
        waits = slot.value.source in _OF_BATCH and run.batch is None
        between = text[at : slot.at]
        at = slot.at + slot.length
        before = text[slot.at - 1 : slot.at]
        value = text[slot.at : at] if waits else _written(slot, run, dialect, before, where)
        length += len(between)
        if waits:
            left.append(replace(slot, at=length))
        length += len(value)
        parts += [between, value]
    return "".join(parts) + text[at:], tuple(left)


def _written(slot: Slot, run: RunValues, dialect: str, before: str, where: str) -> str:
    value = str(_value_of(slot.value, run, where))
    if slot.place is Place.TEXT and "\0" not in value:
        return "".join(map(_escapes(dialect).get, value, value))
    form, words = _FORMS.get(slot.place, (None, "text without the character NUL"))
    if form is None or form.fullmatch(value) is None or (before == "-" and value[:1] == "-"):
        raise ConfigError(
            f"{where}: {_named(slot.value)} is {value!r}, and the SQL has it {_WHERE[slot.place]}, "
            f"where it must be {words}. Write quotes around it in the model, or give another value."
        )
    return value


def _escapes(dialect: str) -> dict[str, str]:
    return dict(get_engine(dialect).naming.text_escapes)


_WHERE = {
    Place.TEXT: "in a text",
    Place.NAME: "in a quoted name",
    Place.WORD: "in a name or number",
    Place.BARE: "without quotes",
    Place.COMMENT: "in a comment",
}


def _value_of(value: RunValue, run: RunValues, where: str) -> Any:
    if value.source == "invocation_id":
        return run.invocation_id
    if value.source == "var":
        return _variable(value, run.variables, where)
    if value.source in _OF_BATCH and run.batch is not None:
        found: Any = run.batch[_OF_BATCH.index(value.source)]
    else:
        found = begun(value.source, run.started_at or datetime.now(UTC))
    for step in value.steps:
        found = stepped(found, step)
    return found


def _variable(value: RunValue, variables: Mapping[str, Any], where: str) -> Any:
    found = variables.get(value.name, value.default)
    if found is None:
        raise ConfigError(
            f"{where}: var {value.name!r} has no value in this run; pass "
            f"vars={{{value.name!r}: '{{{{ ds }}}}'}} to the DAG, or set it in the param `vars`."
        )
    if not isinstance(found, _PLAIN):
        raise ConfigError(
            f"{where}: var {value.name!r} is {found!r}, which has no place in SQL; give a text, a "
            "number or a date."
        )
    return found


def _named(value: RunValue) -> str:
    return f"var {value.name!r}" if value.source == "var" else value.source


def begun(source: str, started_at: datetime) -> Any:
    """Return the time that a value's steps begin with."""
    match source:
        case "now":
            return datetime.now()
        case "utcnow":
            return datetime.now(UTC).replace(tzinfo=None)
        case "today":
            return datetime.now().date()
        case _:
            return started_at


def stepped(value: Any, step: Sequence[Any]) -> Any:
    """Take one step.

    Steps are `strftime format`, `isoformat *arguments`, `date`, `astimezone name`, `replace parts`,
    `plus days seconds microseconds`, `get attribute` and `call method`.

    Raises:
        ConfigError: there is no such step.
    """
    name, *given = step
    match name:
        case "strftime" | "isoformat" | "date":
            return getattr(value, name)(*given)
        case "astimezone":
            return value.astimezone(ZoneInfo(given[0]))
        case "replace":
            return value.replace(**given[0])
        case "plus":
            return value + timedelta(*given)
        case "get" if given[0] in READ:
            return getattr(value, given[0])
        case "call" if given[0] in CALLED:
            return getattr(value, given[0])()
    raise ConfigError(f"the manifest has a value with the step {list(step)!r}; compile it again.")
