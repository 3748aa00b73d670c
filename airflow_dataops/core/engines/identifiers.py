"""Names and texts as SQL: every name is quoted, every text is a literal.

`dialect` is a sqlglot name everywhere in this room.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.registry import find_engine
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_QUOTED = re.compile(r'"((?:[^"]|"")+)"|`((?:[^`]|``)+)`')


def quote(name: str, dialect: str) -> str:
    """Return a name as a quoted identifier.

    Raises:
        ConfigError: the name is empty or holds a NUL character, which no engine takes, or is
            longer than what this engine keeps of a name, or holds what no name of it may.
    """
    if not name or "\0" in name:
        raise ConfigError(f"{name!r} cannot be the name of a schema, table or column; rename it.")
    engine = find_engine(dialect)
    if engine is None:
        from sqlglot import exp

        return exp.to_identifier(name, quoted=True).sql(dialect=dialect)
    naming = engine.naming
    if not naming.unquotable.isdisjoint(name):
        raise ConfigError(
            f"{name!r} cannot be the name of a schema, table or column on {engine.errors.title}, "
            "which takes no backtick, backslash or line break in one; rename it."
        )
    if naming.is_too_long(name):
        raise ConfigError(
            f"{name!r} is longer than {naming.longest} bytes, the most that {dialect} keeps of a "
            "name; give it a shorter one (a model's alias, a column's name in the query)."
        )
    # To load a dialect takes sqlglot a third of a second, which each task's process pays.
    mark = naming.quote
    return mark + name.replace(mark, mark * 2) + mark


def derived(name: str, suffix: str, dialect: str) -> str:
    """Return a name with a suffix, the name cut so that the engine keeps all of both."""
    engine = find_engine(dialect)
    cut = name if engine is None else engine.naming.cut(name, len(suffix.encode()))
    return cut + suffix


def quote_all(names: Iterable[str], dialect: str) -> str:
    """Return names as a comma-separated list of quoted identifiers."""
    return ", ".join(quote(name, dialect) for name in names)


def literal(text: str, dialect: str) -> str:
    """Return a text as a string literal, for places where no value can be bound."""
    # Dear to import: most tasks write no literal.
    from sqlglot import exp

    return exp.Literal.string(text).sql(dialect=dialect)


def unquote(name: str) -> str:
    """Return the name that an author may have written with quotes around it."""
    match = _QUOTED.fullmatch(name)
    if match is None:
        return name
    if match[1] is not None:
        return match[1].replace('""', '"')
    return match[2].replace("``", "`")


def resolve(name: str, columns: Sequence[str]) -> str | None:
    """Return the column that an author's name means, or None.

    The exact name wins, then the name without its quotes, then either in another case.
    """
    wanted = (name, unquote(name.strip()))
    for candidate in wanted:
        if candidate in columns:
            return candidate
    folded = {column.casefold(): column for column in reversed(columns)}
    return next((folded[w.casefold()] for w in wanted if w.casefold() in folded), None)


def resolve_all(
    names: Sequence[str], columns: Sequence[str], *, what: str, where: str
) -> tuple[str, ...]:
    """Return the columns that an author's names mean.

    Raises:
        RunError: a name is not among the columns; the message names `what` (the setting)
            and `where` (the relation) and lists the columns.
    """
    found = [resolve(name, columns) for name in names]
    missing = [name for name, column in zip(names, found, strict=True) if column is None]
    if missing:
        raise RunError(
            f"{what} names {', '.join(map(repr, missing))}, which {where} does not have; "
            f"its columns are {', '.join(columns)}. "
            "Name columns, not expressions, or build the model with engine dbt."
        )
    return tuple(filter(None, found))
