"""What a load is: a target, a verb with its settings, and who runs it.

Every verb goes the same way: take the lease of target and partition, stage the source once,
check what was staged, publish in one transaction that begins with the fence, sweep. A process
that dies anywhere leaves the target as it was or as it should be.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from msgspec.structs import force_setattr

from airflow_dataops.core.arguments import choice
from airflow_dataops.core.loads.choices import (
    Duplicates,
    EmptiedTarget,
    NonFinite,
    Reading,
    SameSequence,
    SameTime,
    TextOrder,
)
from airflow_dataops.core.loads.settings import (
    OneOf,
    OneOfOrNone,
    Settings,
    Several,
    SeveralOrAll,
    default,
)
from airflow_dataops.core.model import Relation, Struct

Value = str | int | float | bool | date | datetime | None
"""A value of a partition's column."""


class NullKeys(StrEnum):
    """What becomes of rows whose key is, or holds, NULL."""

    REFUSE = "refuse"
    """The load fails before it writes."""
    MATCH = "match"
    """NULL equals NULL, so that running again does not add them again."""


class OnEmpty(StrEnum):
    """What a source without rows does."""

    WRITE = "write"
    """It is loaded like any other: it clears a partition, it empties a replaced table."""
    KEEP = "keep"
    """The target stays as it is."""
    FAIL = "fail"
    """The load fails and the target stays as it is."""


class Drift(StrEnum):
    """What becomes of columns that the source has and the target has not.

    A column that the target requires (NOT NULL without a default) and the source lacks, and a
    type that does not fit, are errors always.
    """

    REFUSE = "refuse"
    IGNORE = "ignore"
    """They are left out."""
    ADD = "add"
    """The target gets them, at its end, NULL in the rows it has."""


class Outside(StrEnum):
    """What becomes of source rows that are not of the partition."""

    REFUSE = "refuse"
    DROP = "drop"


class Within(Settings, frozen=True):
    """A half-open range of a column: `start <= column < end`."""

    column: str
    start: date | datetime | int
    end: date | datetime | int


class LoadPartition(Settings, frozen=True, tag="partition"):
    """Put the source's rows in the place of a partition's: delete and insert by one predicate.

    Attributes:
        values: the partition's columns with their values; NULL is a value. May be empty when
            `within` is set.
        within: a range, besides.
    """

    values: dict[str, Value] = {}
    within: Within | None = None
    outside: OneOf[Outside] = default(Outside.REFUSE)
    on_empty: OneOf[OnEmpty] = default(OnEmpty.WRITE)

    @property
    def label(self) -> str:
        """The partition as a text, such as `day=2026-01-31`."""
        named = [f"{column}={value}" for column, value in self.values.items()]
        if self.within is not None:
            named.append(f"{self.within.column}={self.within.start}/{self.within.end}")
        return ",".join(named)


class Compare(StrEnum):
    """Which of the rows that are there already are written again."""

    ALWAYS = "always"
    CHANGED = "changed"
    """Those of which an updated column is distinct."""


class Merge(Settings, frozen=True, tag="merge"):
    """Update the rows whose key is there, add the others.

    Attributes:
        keys: columns that name a row.
        order_by: columns that tell which of several source rows of one key is the last and
            wins. Without them duplicate keys are an error that names some.
        update_columns: what is updated; None for all but the keys.
        delete_flag: a boolean column of the source: true deletes the row. It is not written.
        text_order: what texts in `order_by` are.
    """

    keys: Several
    order_by: Several = default(())
    text_order: OneOf[TextOrder] = default(TextOrder.REFUSE)
    update_columns: SeveralOrAll = default(None)
    delete_flag: str | None = None
    compare: OneOf[Compare] = default(Compare.ALWAYS)
    null_keys: OneOf[NullKeys] = default(NullKeys.REFUSE)
    on_empty: OneOf[OnEmpty] = default(OnEmpty.KEEP)


class Replace(Settings, frozen=True, tag="replace"):
    """Put the source's rows in the place of the whole table, at once for every reader."""

    on_empty: OneOf[OnEmpty] = default(OnEmpty.FAIL)


class Append(Settings, frozen=True, tag="append"):
    """Add the source's rows that the table does not have, or all of them once for each run.

    Attributes:
        keys: columns that name a row; empty: all columns, NULL equals NULL.
        order_by: as for `Merge`. With keys, rows that are equal in all columns are one.
        duplicates: what equal rows are where no keys are named; None for `keep` where the
            source is a log, whose positions tell which rows are new, and `once` elsewhere.
    """

    keys: Several = default(())
    order_by: Several = default(())
    duplicates: OneOfOrNone[Duplicates] = default(None)
    text_order: OneOf[TextOrder] = default(TextOrder.REFUSE)
    null_keys: OneOf[NullKeys] = default(NullKeys.REFUSE)
    on_empty: OneOf[OnEmpty] = default(OnEmpty.KEEP)


class HistoryColumns(Settings, frozen=True):
    """Names of the columns that a type 2 history adds."""

    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    is_current: str = "is_current"


class Missing(StrEnum):
    """What it means that a key of the history is not in the source."""

    IGNORE = "ignore"
    CLOSE = "close"
    """It was deleted: the source is a full picture as of the time of the load."""


class History(Settings, frozen=True, tag="history"):
    """Keep every version of a row with the time it was valid (SCD type 2).

    Versions of a key do not overlap and leave no gap; `valid_to` of the current one is NULL.
    A row that arrives late takes its place between the versions before and after it.

    Attributes:
        keys: columns that name the thing.
        effective_at: column of the source with the time from which its row is valid.
        compare_columns: a new version begins when one of these is distinct; None for all
            columns but the keys and `effective_at`.
        closed_at: with `missing=close`, the time at which missing keys end.
        same_time: what a row is for a time at which a version begins that says otherwise.
    """

    keys: Several
    effective_at: str
    compare_columns: SeveralOrAll = default(None)
    columns: HistoryColumns = HistoryColumns()
    missing: OneOf[Missing] = default(Missing.IGNORE)
    closed_at: datetime | None = None
    same_time: OneOf[SameTime] = default(SameTime.REPLACE)
    null_keys: OneOf[NullKeys] = default(NullKeys.REFUSE)
    on_empty: OneOf[OnEmpty] = default(OnEmpty.KEEP)


class NullCursor(StrEnum):
    """What becomes of source rows whose cursor is NULL."""

    REFUSE = "refuse"
    INCLUDE = "include"
    """Each load takes them; only with keys, or they would be added again."""
    EXCLUDE = "exclude"


class Increment(Settings, frozen=True, tag="increment"):
    """Take over what is new in the source since the last time, by a watermark.

    The watermark is the greatest cursor seen; it is committed with the rows and never goes
    back. Rows at the watermark itself and within the lag are read again and merged by key, so
    none is lost and none doubled.

    Attributes:
        cursor: a column of the source that grows: a time or a number.
        lag: how far before the watermark to look for rows that were committed late; a number
            for a numeric cursor.
        keys: columns that name a row; empty: all columns.
        order_by: columns that tell which row of a key is the last, of the source's and of what the
            table has; where they are alike, and without them, the cursor tells.
        per: columns each of whose values has a watermark of its own.
        reading: from the watermark on, or everything (a full refresh).
        until: the first value of the cursor that is not read yet; None to read them all.
        watermark_name: what the watermark is kept under; None for the load's owner and source,
            so that another source is read from its beginning.
        text_order: what texts in `order_by` are.
        nonfinite_cursor: what becomes of rows whose cursor is NaN or infinite.
    """

    cursor: str
    keys: Several = default(())
    order_by: Several = default(())
    lag: timedelta | int | float = timedelta()
    per: Several = default(())
    reading: OneOf[Reading] = default(Reading.NEW)
    until: date | datetime | int | float | None = None
    watermark_name: str | None = None
    text_order: OneOf[TextOrder] = default(TextOrder.REFUSE)
    null_cursor: OneOf[NullCursor] = default(NullCursor.REFUSE)
    nonfinite_cursor: OneOf[NonFinite] = default(NonFinite.REFUSE)
    null_keys: OneOf[NullKeys] = default(NullKeys.REFUSE)
    on_empty: OneOf[OnEmpty] = default(OnEmpty.KEEP)


class Envelope(StrEnum):
    """The form of change events."""

    PLAIN = "plain"
    """The row's columns, and one with the kind of change."""
    DEBEZIUM = "debezium"
    """Columns `before`, `after` (JSON objects), `op` (c, r, u, d)."""


class ApplyChanges(Settings, frozen=True, tag="changes"):
    """Apply insert, update and delete events in the order of their sequence.

    An event that is older than what the target has of its key changes nothing, also after a
    deletion: the sequence of deleted keys is kept beside the target.

    Attributes:
        keys: columns that name a row.
        sequence: columns of the events that order those of a key, such as an LSN.
        op: column with the kind of change; see `deletes`, `upserts` and `ignores`.
        ignores: kinds of events that are skipped, such as Debezium's truncations (t) and
            messages (m). Any other kind is an error.
        soft_delete: boolean column of the target that is set instead of deleting.
        sequence_column: column of the target that keeps the sequence of a row's last event.
        same_sequence: what becomes of an event of the same sequence as one that was loaded.
        text_order: what a sequence of texts is.
    """

    keys: Several
    sequence: str
    op: str = "op"
    deletes: Several = default(("d", "D", "delete", "DELETE"))
    upserts: Several = default(
        (
            *("c", "r", "u", "i", "I", "U", "C", "R"),
            *("insert", "update", "upsert", "INSERT", "UPDATE", "UPSERT"),
        )
    )
    ignores: Several = default(())
    envelope: OneOf[Envelope] = default(Envelope.PLAIN)
    soft_delete: str | None = None
    sequence_column: str = "_sequence"
    same_sequence: OneOf[SameSequence] = default(SameSequence.REFUSE)
    text_order: OneOf[TextOrder] = default(TextOrder.REFUSE)
    null_keys: OneOf[NullKeys] = default(NullKeys.REFUSE)
    on_empty: OneOf[OnEmpty] = default(OnEmpty.KEEP)


Verb = LoadPartition | Merge | Replace | Append | History | Increment | ApplyChanges


class Attempt(Struct, frozen=True):
    """Who runs a load: one try of one task of one run.

    Attributes:
        owner: what tells tasks apart; the same in all tries (`dag.task[map_index]`).
    """

    owner: str
    run_id: str
    try_number: int = 1


class Load(Struct, frozen=True):
    """One load of one target.

    Attributes:
        partition: what the lease is for besides the target, as `overlap.lease_of` writes it:
            loads of one target take turns unless these say that they touch other rows. Names
            of one's own are taken to be apart. Empty: the whole target.
        control: where the tables `dataops_leases` and `dataops_watermarks` are; the
            target's own schema unless set. (The identifier is ignored.)
        lease: how long a load may go on before another task may take its place. A retry of
            the same task takes it at once.
        wait: how long to wait for a lease that another task holds.
        create: whether a target that does not exist is made, with the columns of the source,
            what the verb adds, and the key.
        emptied_target: what is done where the target has no rows and should have some.
        origin: what the source is called, by which its watermark is kept; empty for what the
            source says of itself. It must be the same in all runs.
    """

    target: Relation
    verb: Verb
    attempt: Attempt
    drift: OneOf[Drift] = default(Drift.REFUSE)
    partition: str = ""
    control: Relation | None = None
    lease: timedelta = timedelta(hours=1)
    wait: timedelta = timedelta(minutes=10)
    create: bool = False
    emptied_target: OneOf[EmptiedTarget] = default(EmptiedTarget.RESTART)
    origin: str = ""

    def __post_init__(self) -> None:
        """Take words for members of their enum, as verbs do."""
        force_setattr(self, "drift", choice(Drift, self.drift, "drift"))
        kept = choice(EmptiedTarget, self.emptied_target, "emptied_target")
        force_setattr(self, "emptied_target", kept)


class LoadResult(Struct, frozen=True):
    """What a load did. Counts are rows; None where the engine does not say.

    Attributes:
        staged: rows read from the source.
        written: rows inserted or updated, where the engine does not tell which.
        bytes: of the staged rows: in Arrow's memory, or on disk on Postgres.
        partitions: what was written, as texts for people and asset extras.
        watermark: where the source was read up to, as text (JSON for several).
    """

    target: str
    staged: int
    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None
    written: int | None = None
    bytes: int | None = None
    partitions: tuple[str, ...] = ()
    watermark: str | None = None
