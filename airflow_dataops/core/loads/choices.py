"""What an author may choose where rows, orders or watermarks leave more than one reading."""

from __future__ import annotations

from enum import StrEnum


class Duplicates(StrEnum):
    """What becomes of rows that are equal in all columns, where no key names a row."""

    ONCE = "once"
    """They are one row, which is added unless the table has it."""
    KEEP = "keep"
    """Each is a row: all of a run's rows are added, once for the run however often it is tried."""


class TextOrder(StrEnum):
    """What texts are, where their order decides: as texts '9' comes after '10'."""

    REFUSE = "refuse"
    """The load fails; the message names the cast."""
    NUMBER = "number"
    """Whole numbers of up to 38 digits; other texts fail the load."""


class NonFinite(StrEnum):
    """What becomes of source rows whose cursor is NaN or infinite: nothing is past such a mark."""

    REFUSE = "refuse"
    INCLUDE = "include"
    """Each load takes them, and the watermark does not see them; only with keys."""
    EXCLUDE = "exclude"


class SameSequence(StrEnum):
    """What becomes of an event that differs from one of its key that has the same sequence.

    Within a batch it is refused in any case: nothing tells which of them is the later.
    """

    REFUSE = "refuse"
    """The load fails, so that the table is the same however events are cut into batches."""
    FIRST = "first"
    """What an earlier load wrote stays."""
    LAST = "last"
    """What is loaded last wins."""


class SameTime(StrEnum):
    """What becomes of a history's version whose time a later batch tells otherwise."""

    REPLACE = "replace"
    """It was corrected: the row of the later batch takes its place."""
    REFUSE = "refuse"


class Reading(StrEnum):
    """From where on a source is read."""

    NEW = "new"
    """From its watermark."""
    ALL = "all"
    """From its beginning, whatever the watermark says; the watermark is set anew."""


class EmptiedTarget(StrEnum):
    """What a load does whose table is new or has no rows, where its marks say that it had some.

    Marks are the watermarks and the positions of logs; of a table that does not exist, the
    deleted keys of `ApplyChanges`, too.
    """

    RESTART = "restart"
    """It forgets them, as those of all other loads of the table, and reads from the beginning."""
    FAIL = "fail"
    CONTINUE = "continue"
    """It goes on from them: the rows were removed on purpose."""
