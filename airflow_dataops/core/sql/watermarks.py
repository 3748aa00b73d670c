"""How far a source was read: the table `dataops_watermarks`, and what is past a watermark.

A watermark is kept as text: whole numbers and decimals as Python writes them, times in ISO
8601, in UTC where they have a zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.base import Engine
from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql.control import create_control_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.sql.tables import Table

WATERMARKS = "dataops_watermarks"
BEGINNING = -1
"""The position of a log that is to be read from its beginning."""
LOAD = "@load"
"""The scope under which a named watermark keeps whose it is."""
_COLUMNS = {
    "target": "text",
    "partition": "text",
    "scope": "text",
    "cursor": "text",
    "watermark": "text",
    "run_id": "text",
}
_KEYS = ("target", "partition", "scope", "cursor")
_AT_ONCE = 200
_ENDLESS = "'nan', 'inf', '-inf', 'infinity', '-infinity'"
"""As engines write them; the cursor's type is not known before the source is read."""


class Watermarked(Struct, frozen=True):
    """The watermarks of one target, partition and cursor."""

    table: Relation
    target: str
    partition: str
    cursor: str
    engine: Engine

    @property
    def sql(self) -> str:
        """The table's name."""
        return render(self.table, self.engine.name)

    @property
    def values(self) -> tuple[str, str, str]:
        """What `_mine` binds."""
        return self.target, self.partition, self.cursor


class Floor(Struct, frozen=True):
    """From where on one scope of a source is read.

    Attributes:
        values: those of the columns that have a watermark each; empty for the whole source.
        cursor: the least value that is read again.
    """

    cursor: Any
    values: tuple[Any, ...] = ()


class Since(Struct, frozen=True):
    """Which rows of a source are to be read.

    Attributes:
        per: columns each of whose values has a watermark of its own.
        floors: one for each scope that has a watermark; rows of other scopes are all read.
        nulls: whether rows without a cursor are read.
        until: the first value of the cursor that is not read; None to read them all.
        endless: whether rows whose cursor is NaN or infinite are read whatever the watermark.
    """

    cursor: str
    per: tuple[str, ...] = ()
    floors: tuple[Floor, ...] = ()
    nulls: bool = True
    until: Any = None
    endless: bool = False


def create_watermarks(table: Relation, engine: Engine) -> Statement:
    """Return the statement that makes the table of watermarks unless it exists."""
    return create_control_table(table, _COLUMNS, _KEYS, engine)


def read_watermarks(marked: Watermarked) -> Statement:
    """Return the query for scopes and watermarks."""
    q = _quoted(marked)
    return Statement(
        sql=f"select {q['scope']}, {q['watermark']} from {marked.sql} where {_mine(marked)}",
        parameters=marked.values,
    )


def read_positions(marked: Watermarked) -> Statement:
    """Return the query for scopes, watermarks and the runs that raised them."""
    q = _quoted(marked)
    names = ", ".join(q[name] for name in ("scope", "watermark", "run_id"))
    return Statement(
        sql=f"select {names} from {marked.sql} where {_mine(marked)}", parameters=marked.values
    )


def rename_watermarks(marked: Watermarked, old: str) -> Statement:
    """Return the statement that takes watermarks over from another name of theirs."""
    q = _quoted(marked)
    return Statement(
        sql=f"update {marked.sql} set {q['cursor']} = {MARK} where {_mine(marked)}",
        parameters=(marked.cursor, marked.target, marked.partition, old),
    )


def drop_watermarks(marked: Watermarked) -> Statement:
    """Return the statement that removes watermarks, so that they can be set anew."""
    return Statement(
        sql=f"delete from {marked.sql} where {_mine(marked)}", parameters=marked.values
    )


def name_load(marked: Watermarked, load: str, run_id: str) -> tuple[Statement, ...]:
    """Return the statements that keep whose a named watermark is."""
    q = _quoted(marked)
    whose = f"{_mine(marked)} and {q['scope']} = {MARK}"
    bound = ", ".join([f"cast({MARK} as {marked.engine.loads.types.text})"] * len(_COLUMNS))
    names = quote_all(_COLUMNS, marked.engine.name)
    return (
        Statement(sql=f"delete from {marked.sql} where {whose}", parameters=(*marked.values, LOAD)),
        Statement(
            sql=f"insert into {marked.sql} ({names})\nselect {bound}",
            parameters=(marked.target, marked.partition, LOAD, marked.cursor, load, run_id),
        ),
    )


def forget(table: Relation, target: str, engine: Engine) -> tuple[Statement, ...]:
    """Return the statements that forget all watermarks of a target.

    Logs are set to their beginning: without a position one may begin at its end.
    """
    name, own = render(table, engine.name), quote("target", engine.name)
    scope, mark = quote("scope", engine.name), quote("watermark", engine.name)
    of_cursor = f"({scope} = '' or {scope} like '[%' or {scope} = {MARK})"
    return (
        Statement(
            sql=f"delete from {name} where {own} = {MARK} and {of_cursor}",
            parameters=(target, LOAD),
        ),
        Statement(
            sql=f"update {name} set {mark} = {MARK} where {own} = {MARK}",
            parameters=(str(BEGINNING), target),
        ),
    )


def raise_watermarks(
    marked: Watermarked, found: Sequence[tuple[str, str]], run_id: str, type_: str
) -> tuple[Statement, ...]:
    """Return the statements that set watermarks, none of them back.

    Args:
        found: scope and watermark.
        type_: the cursor's type, by which watermarks are compared.
    """
    statements = []
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        statements += [_raise(marked, some, run_id, type_), _begin(marked, some, run_id)]
    return tuple(statements)


def since_condition(since: Since, dialect: str) -> Statement:
    """Return the condition for rows that are past the watermarks, and before the end."""
    past, cursor = _past(since, dialect), quote(since.cursor, dialect)
    if since.until is None:
        return past
    nulls = f" or {cursor} is null" if since.nulls else ""
    return Statement(
        sql=f"({past.sql})\n  and ({cursor} < {MARK}{nulls})",
        parameters=(*past.parameters, since.until),
    )


def from_end_on(table: str, cursor: str, until: object, dialect: str) -> Statement:
    """Return the statement that drops staged rows which are not to be read yet."""
    sql = f"delete from {table} where {quote(cursor, dialect)} >= {MARK}"
    return Statement(sql=sql, parameters=(until,))


def _past(since: Since, dialect: str) -> Statement:
    cursor = quote(since.cursor, dialect)
    if not since.floors:
        return Statement(sql="true" if since.nulls else f"{cursor} is not null")
    tests, values = [], []
    for floor in since.floors:
        scope, bound = _scope(since.per, floor.values, dialect)
        tests.append(f"({scope}{cursor} >= {MARK})")
        values += [*bound, floor.cursor]
    if since.per:
        others, bound = _other_scopes(since, dialect)
        tests.append(f"({others}{'' if since.nulls else f' and {cursor} is not null'})")
        values += bound
    if since.nulls:
        tests.append(f"{cursor} is null")
    if since.endless:
        tests.append(
            f"lower(cast({cursor} as {get_engine(dialect).loads.types.text})) in ({_ENDLESS})"
        )
    return Statement(sql="\n  or ".join(tests), parameters=tuple(values))


def as_new_as(target: Table, source: Table, cursor: str, dialect: str) -> str:
    """Return the condition for rows of the target that may be among the new ones.

    Empty, which is all rows, where the target does not have the cursor.
    """
    if cursor not in target.names:
        return ""
    column = quote(cursor, dialect)
    return f"{column} >= (select min({column}) from {source.sql})"


def greatest(
    table: str, cursor: str, per: Sequence[str], dialect: str, *, leaving_out: str | None = None
) -> Statement:
    """Return the query for the greatest cursor of each scope: the scope's values, then it.

    Args:
        leaving_out: condition for rows that are no watermark.
    """
    names = quote_all(per, dialect)
    column = quote(cursor, dialect)
    grouped = f"\ngroup by {names}" if per else ""
    finite = f" and not ({leaving_out})" if leaving_out else ""
    return Statement(
        sql=(
            f"select {f'{names}, ' if per else ''}max({column}) from {table}\n"
            f"where {column} is not null{finite}{grouped}"
        )
    )


def _scope(per: Sequence[str], values: Sequence[Any], dialect: str) -> tuple[str, list[Any]]:
    tests = [
        f"{quote(c, dialect)} is null and "
        if value is None
        else f"{quote(c, dialect)} = {MARK} and "
        for c, value in zip(per, values, strict=True)
    ]
    return "".join(tests), [value for value in values if value is not None]


def _other_scopes(since: Since, dialect: str) -> tuple[str, list[Any]]:
    known, values = [], []
    for floor in since.floors:
        scope, bound = _scope(since.per, floor.values, dialect)
        known.append(f"({scope.removesuffix(' and ')})")
        values += bound
    # A comparison with NULL is neither; what is not surely known is read.
    return f"case when {' or '.join(known)} then false else true end", values


def _raise(
    marked: Watermarked, found: Sequence[tuple[str, str]], run_id: str, type_: str
) -> Statement:
    q, listed = _quoted(marked), _listed(marked, found)
    return Statement(
        sql=(
            f"update {marked.sql} as w set {q['watermark']} = n.mark, {q['run_id']} = {MARK}\n"
            f"from {listed.sql} as n\n"
            f"where {_mine(marked, 'w.')} and w.{q['scope']} = n.scope\n"
            f"  and cast(w.{q['watermark']} as {type_}) < cast(n.mark as {type_})"
        ),
        parameters=(run_id, *listed.parameters, *marked.values),
    )


def _begin(marked: Watermarked, found: Sequence[tuple[str, str]], run_id: str) -> Statement:
    q, listed = _quoted(marked), _listed(marked, found)
    text = marked.engine.loads.types.text
    bound = f"cast({MARK} as {text})"
    return Statement(
        sql=(
            f"insert into {marked.sql} ({quote_all(_COLUMNS, marked.engine.name)})\n"
            f"select {bound}, {bound}, n.scope, {bound}, n.mark, {bound}\nfrom {listed.sql} as n\n"
            f"where not exists (select 1 from {marked.sql} as w\n"
            f"  where {_mine(marked, 'w.')} and w.{q['scope']} = n.scope)"
        ),
        parameters=(*marked.values, run_id, *listed.parameters, *marked.values),
    )


def _listed(marked: Watermarked, found: Sequence[tuple[str, str]]) -> Statement:
    text = marked.engine.loads.types.text
    row = f"select cast({MARK} as {text}) as scope, cast({MARK} as {text}) as mark"
    rows = " union all ".join([row] * len(found))
    return Statement(sql=f"({rows})", parameters=tuple(v for pair in found for v in pair))


def _mine(marked: Watermarked, prefix: str = "") -> str:
    q = _quoted(marked)
    names = ("target", "partition", "cursor")
    return " and ".join(f"{prefix}{q[name]} = {MARK}" for name in names)


def _quoted(marked: Watermarked) -> dict[str, str]:
    return {name: quote(name, marked.engine.name) for name in _COLUMNS}
