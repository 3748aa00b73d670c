"""What loads need to know of an engine, as data; one `loading_<engine>.py` per engine."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from airflow_dataops.core.engines.statements import Statement
from airflow_dataops.core.engines.waits import Waits
from airflow_dataops.core.model import Relation, Struct


class Upsert(StrEnum):
    """The fastest correct way to update the rows that are there and add the others."""

    CONFLICT = "conflict"
    """INSERT .. ON CONFLICT where a unique index is on the keys, else as below."""
    DELETE_INSERT = "delete and insert"
    """Where whole rows are written, else UPDATE and INSERT."""
    MERGE = "merge"


class Swap(StrEnum):
    """How a table's rows are replaced at once for every reader."""

    STATEMENT = "create or replace"
    """One CREATE OR REPLACE inside the transaction, where nothing hangs on the old table."""
    RENAME = "rename"
    """A new table takes the old one's name inside the transaction, where nothing hangs on it."""
    SWAP = "swap"
    """ALTER TABLE .. SWAP WITH."""
    ROWS = "rows"
    """DELETE and INSERT in one transaction."""


class Locks(StrEnum):
    """What two transactions may not both change."""

    ROWS = "rows"
    TABLES = "tables"
    """So each target has control tables of its own, and publishing waits for its turn."""


class Types(Struct, frozen=True):
    """The engine's names of the types that control tables are made of."""

    text: str
    integer: str


class Belonging(Struct, frozen=True):
    """Something of a table that one made `like` it lacks: an index, a grant, an owner.

    Attributes:
        create: the statement that gives it to the new table.
        rename: the statement that gives it its old name, once the old table is gone.
    """

    create: str
    rename: str | None = None


class LoadSql(Struct, frozen=True):
    """One engine's ways of loading.

    Attributes:
        session: database and schema of tables that one session alone sees and that go with
            it; None where staging tables are ordinary ones, which later loads sweep.
        information_schema: the schema that lists tables, ready to be embedded.
        types: of control tables.
        epoch: SQL expression for the seconds since 1970 on the warehouse's clock.
        insert_once: what an INSERT into a table with a primary key ends with so that a row
            that is there already is left alone.
        primary_key: how a table's key is declared; `{}` stands for the columns.
        upsert: see `Upsert`.
        swap: see `Swap`.
        transactional_ddl: whether ALTER TABLE can be rolled back.
        hashes_nulls: whether a join on IS NOT DISTINCT FROM is as fast as one on `=`.
        columns: the query for a table's columns, in order: name, type, whether a value is
            required, whether it is a view, and as many as the engine tells of `TableColumn`'s
            filled, clause and unlimited, or NULL.
        json_field: the expression for a field of a JSON object, as text; it is given the
            object, as SQL, and the field's name. None where JSON's null, a field that is not
            there and an empty text cannot be told apart.
        json_keys: the query for the names of the fields that the JSON objects of a column
            have, each once; it is given the table and the column, as SQL. None where it
            cannot be asked.
        json_rounds: the condition that a field is a number of which `json_field` may not have
            all digits; takes what that does. None where it has all.
        widest_decimal: the type with the most digits after the point, and so many before it.
        fraction: the expression for what is behind the point of a number's text. None where
            the widest decimal is wider than all others.
        size: the query for the bytes that a table takes; None where that has to be looked for.
        incomparable: types whose values have no equality.
        unique_keys: the query for the columns of each index that ON CONFLICT can use, as a
            list; None where there is none.
        in_the_way: the query for what hangs on a table and would not follow when another
            takes its name, as texts; None where nothing can.
        belongings: the query for what `Swap.RENAME` has to give to the new table: kind,
            name, definition; and the function that makes statements of it.
        bystanders: the query for what else happens when rows are written: foreign keys to the
            table, rules, triggers; see `core.loads.bystanders`. None where nothing does.
        tables_of: the listing of the tables beside a relation; `information_schema`'s where
            there is but one.
        create_staging: how a staging table that is no session's begins; `{}` is its name.
        locks: see `Locks`.
        waits: how locks are waited for, where the wait of one statement can be bounded; None
            where a transaction that is in the way is an error at once.
        trims_texts: whether a text that is too long for its column is stored without the blanks
            at its end, where it is not refused.
    """

    session: tuple[str | None, str] | None
    information_schema: str
    types: Types
    epoch: str
    insert_once: str
    primary_key: str
    upsert: Upsert
    swap: Swap
    transactional_ddl: bool
    hashes_nulls: bool
    columns: Callable[[Relation], Statement]
    json_field: Callable[[str, str], str] | None
    json_keys: Callable[[str, str], str] | None = None
    json_rounds: Callable[[str, str], str] | None = None
    widest_decimal: str = "decimal(38, {scale})"
    fraction: str | None = "split_part({}, '.', 2)"
    incomparable: tuple[str, ...] = ()
    size: Callable[[Relation], Statement] | None = None
    unique_keys: Callable[[Relation], Statement] | None = None
    in_the_way: Callable[[Relation], Statement] | None = None
    belongings: Callable[[Relation], Statement] | None = None
    belonging: Callable[[tuple[str, str, str], Relation, Relation], Belonging] | None = None
    bystanders: Callable[[Relation], Statement] | None = None
    tables_of: Callable[[Relation], str] | None = None
    create_staging: str = "create table {}"
    locks: Locks = Locks.ROWS
    waits: Waits | None = None
    trims_texts: bool = False
