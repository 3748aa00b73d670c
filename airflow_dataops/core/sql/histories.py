"""Statements for histories of type 2 (Kimball: a row for each version of a thing).

The timeline of each key that the new rows touch is made anew from the versions that are there
and the new rows; then only what differs is written. `t` is the history, `s` the new side.
"""

from __future__ import annotations

from airflow_dataops.core.engines.identifiers import literal, quote, quote_all
from airflow_dataops.core.engines.statements import Effect, Statement
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sql.comparisons import changing_as, differ, distinct, same_key


class Timeline(Struct, frozen=True):
    """A history and the rows that are new to it.

    Attributes:
        target: the history's name, as SQL.
        source: the new rows' table, as SQL; each key has each time once.
        effective_at: the new rows' column with the time from which they are valid.
        time_type: the type of the history's times.
        compared: columns of which one differs where a new version begins.
        carried: all columns that a version has besides its keys and times.
        absent: type by name of those that the history does not have yet.
    """

    target: str
    source: str
    keys: tuple[str, ...]
    effective_at: str
    time_type: str
    compared: tuple[str, ...]
    carried: tuple[str, ...]
    valid_from: str
    valid_to: str
    is_current: str
    dialect: str
    null_keys: bool = False
    absent: dict[str, str] = {}

    def q(self, name: str) -> str:
        """Return a column's name."""
        return quote(name, self.dialect)

    @property
    def same_key(self) -> str:
        """The condition that `t` and `s` are of one key."""
        return self.same_key_of("t", "s")

    def same_key_of(self, one: str, other: str) -> str:
        """Return the condition that two tables are of one key."""
        return same_key(self.keys, self.dialect, null_keys=self.null_keys, of=(one, other))

    @property
    def same_version(self) -> str:
        """The condition that `t` and `s` are one version."""
        return self.same_version_of("t")

    def same_version_of(self, one: str) -> str:
        """Return the condition that a table and `s` are one version."""
        begin = self.q(self.valid_from)
        return f"{self.same_key_of(one, 's')} and {one}.{begin} = s.{begin}"


def incoming(line: Timeline, closed_at: str | None) -> str:
    """Return the query for the new rows with the time from which each is valid.

    Args:
        closed_at: the time of a full picture, in ISO 8601. A key that had ended before it and
            is in the picture begins again at that time, whatever the row says.
    """
    names = quote_all((*line.keys, *line.carried), line.dialect)
    begin = f"cast({line.q(line.effective_at)} as {line.time_type})"
    if closed_at is None:
        return f"select {names}, {begin} as {line.q(line.valid_from)} from {line.source}"
    picture = f"cast({literal(closed_at, line.dialect)} as {line.time_type})"
    started, ended = line.q(line.valid_from), line.q(line.valid_to)
    begin = f"cast(s.{line.q(line.effective_at)} as {line.time_type})"
    again = line.same_key_of("n", "t")
    # Snowflake takes a correlated EXISTS nowhere but in WHERE.
    after_end = (
        f"exists (select 1 from {line.target} as t\n"
        f"  where {line.same_key} and t.{ended} >= {begin} and t.{ended} <= {picture}\n"
        f"    and not exists (select 1 from {line.target} as n\n"
        f"      where {again} and n.{started} = t.{ended} and n.{started} <> {picture}))"
    )
    return (
        f"select {names}, {picture} as {started}\nfrom {line.source} as s\nwhere {after_end}\n"
        f"union all\n"
        f"select {names}, {begin} as {started}\nfrom {line.source} as s\nwhere not {after_end}"
    )


def other_versions(line: Timeline, new: str, limit: int) -> Statement:
    """Return the query for new rows of whose time there is a version that says otherwise."""
    names = quote_all((*line.keys, line.valid_from), line.dialect)
    compared = [column for column in line.compared if column not in line.absent]
    return Statement(
        sql=(
            f"select {names} from {new} as s\n"
            f"where exists (select 1 from {line.target} as t where {line.same_version}\n"
            f"  and ({distinct(compared, line.dialect)}))\nlimit {limit}"
        )
    )


def timeline(line: Timeline, new: str) -> str:
    """Return the query for all versions that the touched keys are to have.

    Args:
        new: the table of `incoming`, as SQL.
    """
    q, columns = line.q, (*line.keys, *line.carried)
    names = quote_all(columns, line.dialect)
    begin, end, current = q(line.valid_from), q(line.valid_to), q(line.is_current)
    mine = ", ".join(f"t.{q(column)}" for column in columns)
    stored = ", ".join(
        f"cast(null as {line.absent[column]}) as {q(column)}"
        if column in line.absent
        else f"t.{q(column)}"
        for column in columns
    )
    order = f"partition by {quote_all(line.keys, line.dialect)} order by {begin}"
    before = "".join(
        f",\n    lag({q(column)}) over ({order}) as dataops_was_{number}"
        for number, column in enumerate(line.compared)
    )
    changed = " or ".join(
        differ(q(column), f"dataops_was_{number}", line.dialect)
        for number, column in enumerate(line.compared)
    )
    return (
        "with versions as (\n"
        f"  select {stored}, t.{begin}, t.{end} from {line.target} as t\n"
        f"  where exists (select 1 from {new} as s where {line.same_key})\n"
        "), events as (\n"
        f"  select {names}, {begin}, 0 as dataops_ends from {new}\n"
        f"  union all\n  select {mine}, t.{begin}, 0 from versions as t\n"
        f"  where not exists (select 1 from {new} as s where {line.same_version})\n"
        f"  union all\n  select {mine}, t.{end}, 1 from versions as t\n"
        f"  where t.{end} is not null\n"
        f"    and not exists (select 1 from versions as s"
        f" where {line.same_key} and s.{begin} = t.{end})\n"
        f"    and not exists (select 1 from {new} as s"
        f" where {line.same_key} and s.{begin} = t.{end})\n"
        "), compared as (\n"
        f"  select *, lag(dataops_ends) over ({order}) as dataops_ended{before}\n  from events\n"
        "), kept as (\n"
        f"  select *, lead({begin}) over ({order}) as {end}\n  from compared\n"
        "  where dataops_ends = 1 or dataops_ended is null or dataops_ended = 1"
        f"{f' or {changed}' if changed else ''}\n"
        ")\n"
        f"select {names}, {begin}, {end},\n"
        f"  case when {end} is null then true else false end as {current}\n"
        "from kept where dataops_ends = 0"
    )


def superfluous(line: Timeline, versions: str) -> Statement:
    """Return the query for a version that goes, if one does."""
    condition = _is_superfluous(line, versions, "t")
    return Statement(sql=f"select 1 from {line.target} as t\n{condition} limit 1")


def _is_superfluous(line: Timeline, versions: str, of: str) -> str:
    return (
        f"where exists (select 1 from {versions} as s where {line.same_key_of(of, 's')})\n"
        f"  and not exists (select 1 from {versions} as s where {line.same_version_of(of)})"
    )


def write_timeline(line: Timeline, versions: str) -> tuple[Statement, ...]:
    """Return the statements that make the history as `versions` (the table, as SQL) has it."""
    written = (*line.carried, line.valid_to, line.is_current)
    sets = ", ".join(f"{line.q(c)} = s.{line.q(c)}" for c in written)
    columns = (*line.keys, *line.carried, line.valid_from, line.valid_to, line.is_current)
    names = quote_all(columns, line.dialect)
    into, t = changing_as(line.target, "t", line.dialect)
    return (
        Statement(
            sql=f"delete from {into}\n{_is_superfluous(line, versions, t)}",
            effect=Effect.DELETED,
        ),
        Statement(
            sql=(
                f"update {line.target} as t set {sets}\nfrom {versions} as s\n"
                f"where {line.same_version} and ({distinct(written, line.dialect)})"
            ),
            effect=Effect.UPDATED,
        ),
        Statement(
            sql=(
                f"insert into {line.target} ({names})\nselect {names} from {versions} as s\n"
                f"where not exists (select 1 from {line.target} as t where {line.same_version})"
            ),
            effect=Effect.INSERTED,
        ),
    )


def close_missing(line: Timeline, closed_at: str) -> Statement:
    """Return the statement that ends the current versions of keys that the source lacks."""
    picture = f"cast({literal(closed_at, line.dialect)} as {line.time_type})"
    return Statement(
        sql=(
            f"update {line.target} as t set {line.q(line.valid_to)} = {picture},"
            f" {line.q(line.is_current)} = false\n"
            f"where t.{line.q(line.valid_to)} is null and t.{line.q(line.valid_from)} < {picture}\n"
            f"  and not exists (select 1 from {line.source} as s where {line.same_key})"
        ),
        effect=Effect.UPDATED,
    )
