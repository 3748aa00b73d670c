"""What each verb means, in a few lines of Python: the oracles of the property tests.

A table is a list of tuples. Rows come as the source gives them, in any order. An oracle returns
the table after the load, or None where the load has to refuse.
"""

from __future__ import annotations

from typing import Any

Row = tuple[Any, ...]
Table = list[Row]


def partition(table: Table, rows: Table, day: Any) -> Table | None:
    """Rows (day, n): those of the day are replaced; others are refused."""
    if any(row[0] != day for row in rows):
        return None
    return [row for row in table if row[0] != day] + rows


def merge(table: Table, rows: Table, *, null_keys: bool, ordered: bool) -> Table | None:
    """Rows (key, order, value): the last row of a key wins."""
    if not null_keys and any(row[0] is None for row in rows):
        return None
    last: dict[Any, Row] = {}
    for row in sorted(rows, key=lambda row: (row[1] is not None, row[1] or 0)):
        other = last.get(row[0])
        if other is not None and not ordered:
            return None
        last[row[0]] = row
    if any(r[0] in last and r[1] == last[r[0]][1] and r != last[r[0]] for r in rows):
        return None  # no order tells which is the last
    return [row for row in table if row[0] not in last] + list(last.values())


def append(table: Table, rows: Table) -> Table:
    """Rows of any columns: each that is not there, once."""
    return table + [row for row in dict.fromkeys(rows) if row not in table]


def replace(rows: Table) -> Table | None:
    """All rows; none is refused."""
    return rows or None


def increment(table: Table, source: Table, mark: Any, lag: int) -> tuple[Table, Any]:
    """Rows (key, cursor, value) of a source that only grows: as if all that is past was merged."""
    new = [row for row in source if mark is None or row[1] >= mark - lag]
    last: dict[Any, Row] = {}
    for row in sorted(new, key=lambda row: row[1]):
        last[row[0]] = row
    kept = [row for row in table if row[0] not in last]
    return kept + list(last.values()), max([mark or 0, *(row[1] for row in new)])


def changes(state: dict[Any, Row], events: Table) -> dict[Any, Row]:
    """Events (key, value, op, sequence): state is (value, sequence, deleted) by key."""
    state = dict(state)
    for key, value, op, sequence in sorted(events, key=lambda event: event[3]):
        if key in state and state[key][1] is not None and state[key][1] >= sequence:
            continue
        state[key] = (value, sequence, op == "d")
    return state


def history(table: Table, rows: Table) -> Table | None:
    """Rows (key, value, from); versions (key, value, from, to). Late rows take their place."""
    if len({(key, at) for key, _, at in rows}) < len(set(rows)):
        return None
    result = [v for v in table if v[0] not in {row[0] for row in rows}]
    for key in {row[0] for row in rows}:
        line = {at: value for k, value, at, _ in table if k == key}
        line.update({at: value for k, value, at in rows if k == key})
        began: list[tuple[Any, Any]] = []
        for at in sorted(line):
            if not began or began[-1][0] != line[at]:
                began.append((line[at], at))
        ends = [at for _, at in began[1:]] + [None]
        result += [(key, value, at, to) for (value, at), to in zip(began, ends, strict=True)]
    return result
