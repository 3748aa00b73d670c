"""The config file of `pipeline-health-monitor`."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta

from airflow_dataops.core.health.names import relation_of
from airflow_dataops.core.model import Struct

Hours = Annotated[float, Meta(gt=0)]
Days = Annotated[int, Meta(ge=1, le=3660)]
Count = Annotated[int, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1)]


def check_zone(name: str) -> None:
    """Raise a ValueError for what is no time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Berlin.") from None


Zone = Annotated[str, Meta(extra={"check": check_zone})]
TableId = Annotated[str, Meta(extra={"check": relation_of})]


class Freshness(Struct, frozen=True, forbid_unknown_fields=True):
    """How old the newest row may be.

    Attributes:
        timestamp_column: a date or a time. Without a time zone it is UTC, unless `timezone`
            (an IANA name) says otherwise.
        warn_age_hours: above it the verdict is WARN.
    """

    timestamp_column: Name
    max_age_hours: Hours
    warn_age_hours: Hours | None = None
    timezone: Zone = "UTC"


class RowCount(Struct, frozen=True, forbid_unknown_fields=True):
    """How many rows there must be, in the table or in each of its daily partitions.

    Attributes:
        partition_column: a date or a time; each of the `lookback_days` complete days before
            today must then hold its rows. Days are those of `timezone`.
        include_today: whether the present day, which may not be complete, counts.
    """

    min_rows: Count | None = None
    max_rows: Count | None = None
    partition_column: Name | None = None
    lookback_days: Days = 7
    include_today: bool = False
    timezone: Zone = "UTC"

    def __post_init__(self) -> None:
        if self.min_rows is None and self.max_rows is None:
            raise ValueError("Set min_rows, max_rows or both.")
        low, high = self.min_rows, self.max_rows
        if low is not None and high is not None and low > high:
            raise ValueError(f"min_rows {low} is above max_rows {high}.")


class ExpectedColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """A column that must be there. `mode` is BigQuery's: NULLABLE, REQUIRED or REPEATED."""

    name: Name
    type: str | None = None
    mode: str | None = None


class Quality(Struct, frozen=True, forbid_unknown_fields=True):
    """Columns in which every row has a value, and columns in which no value comes twice."""

    not_null: tuple[Name, ...] = ()
    unique: tuple[Name, ...] = ()


class CustomCheck(Struct, frozen=True, forbid_unknown_fields=True):
    """A check of one's own: a query, or a Python function.

    Attributes:
        sql: returns one value, which must be true, or within `min` and `max`. `{table}` in it
            is the table's quoted name. It runs as it is written.
        python: an import path, `package.module:function`; the function is given the table's
            id and a `SqlRunner`, and returns True or False, or a number.
    """

    name: Name
    sql: str | None = None
    python: str | None = None
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        if (self.sql is None) == (self.python is None):
            raise ValueError("Set either sql or python.")
        if self.python is not None and ":" not in self.python:
            raise ValueError(f"Write {self.python!r} as package.module:function.")


class TableHealth(Struct, frozen=True, forbid_unknown_fields=True):
    """What is checked of a table.

    Attributes:
        table_id: `project.dataset.table` on BigQuery; elsewhere `database.schema.table`, from
            which the front may be left out.
        conn_id: an Airflow connection; that of the whole config by default.
        check_partitions: whether each of the `partition_lookback_days` days before today must
            have a row; by `partition_column`, or that of `row_count`.
        expected_schema: columns that must be there.
        new_columns: what a column is that is not expected: `allow`, `warn` or `fail`.
        check_availability: whether the table can be read.
    """

    table_id: TableId
    conn_id: Name | None = None
    critical: bool = False
    owner: str | None = None
    freshness: Freshness | None = None
    row_count: RowCount | None = None
    check_partitions: bool = False
    partition_column: Name | None = None
    partition_lookback_days: Days = 7
    expected_schema: tuple[ExpectedColumn, ...] = ()
    new_columns: Annotated[str, Meta(pattern="^(allow|warn|fail)$")] = "warn"
    check_availability: bool = False
    quality: Quality | None = None
    checks: tuple[CustomCheck, ...] = ()

    def __post_init__(self) -> None:
        if self.check_partitions and self.day_column is None:
            raise ValueError("check_partitions needs a partition_column.")

    @property
    def day_column(self) -> str | None:
        """The column whose days are the table's partitions."""
        counted = self.row_count.partition_column if self.row_count is not None else None
        return self.partition_column or counted


COSTS, FAILURES = "warehouse", "airflow"
"""What checks of the whole are about, in place of a table."""


class HealthConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What `pipeline-health-monitor` checks.

    Attributes:
        conn_id: the Airflow connection of the tables; BigQuery with the default credentials
            where there is none.
        project: BigQuery's project that runs the queries.
        location: BigQuery's region, such as `US` (for costs the default) or `europe-west1`.
        check_failures: whether DAG runs failed in the last `failure_lookback_hours`; asked of
            Airflow's REST API.
        dag_ids: the DAGs to ask for; all by default.
        check_costs: whether the queries of the last `cost_lookback_hours` cost more than
            `cost_threshold_usd`; without a threshold the sum is only told.
        usd_per_tib: BigQuery's price of a TiB on demand.
        usd_per_slot_hour: BigQuery's price for jobs of a reservation.
        usd_per_credit: Snowflake's price of a credit.
        ledger: URL of the ledger in which each round is kept and from which alerts are sent,
            or `airflow` for that of `[dataops] ledger`.
    """

    tables: tuple[TableHealth, ...] = ()
    conn_id: Name | None = None
    project: Name | None = None
    location: Name | None = None
    check_failures: bool = False
    failure_lookback_hours: Hours = 24
    max_failures: Count = 0
    dag_ids: tuple[Name, ...] = ()
    check_costs: bool = False
    cost_lookback_hours: Hours = 24
    cost_threshold_usd: Annotated[float, Meta(ge=0)] | None = None
    usd_per_tib: Annotated[float, Meta(ge=0)] = 6.25
    usd_per_slot_hour: Annotated[float, Meta(ge=0)] = 0.06
    usd_per_credit: Annotated[float, Meta(ge=0)] = 3.0
    ledger: Name | None = None

    @property
    def max_ages(self) -> dict[str, float | None]:
        """Return the hours that each subject may be old; None where it has no such limit."""
        limits = {each.table_id: each.freshness for each in self.tables}
        ages = {id_: None if each is None else each.max_age_hours for id_, each in limits.items()}
        return {**ages, COSTS: None, FAILURES: None}
