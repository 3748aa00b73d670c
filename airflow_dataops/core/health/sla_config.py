"""The config file of `sla-tracker`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from airflow_dataops.core.health.config import (
    CustomCheck,
    Freshness,
    Hours,
    Name,
    TableHealth,
    TableId,
    Zone,
)
from airflow_dataops.core.model import Struct

Share = Annotated[float, Meta(ge=0, le=1)]
Target = Annotated[float, Meta(gt=0, le=100)]


class CompletionSla(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a run may take, from its start to its end.

    Attributes:
        lookback_hours: each run due in these hours must have kept to it.
    """

    target_duration_minutes: Annotated[float, Meta(gt=0)]
    lookback_hours: Hours = 24


class PipelineSla(Struct, frozen=True, forbid_unknown_fields=True):
    """A DAG and its SLA.

    Attributes:
        name: the DAG's id, unless `dag_id` is given.
        run_types: the runs that count: not backfills, and not those that a person starts.
    """

    name: Name
    completion_time_sla: CompletionSla
    dag_id: Name | None = None
    critical: bool = False
    owner: str | None = None
    run_types: tuple[Name, ...] = ("scheduled", "asset_triggered")

    @property
    def dag(self) -> str:
        """The DAG's id."""
        return self.dag_id or self.name


class FreshnessSla(Struct, frozen=True, forbid_unknown_fields=True):
    """How old the newest row may be; as `freshness` of `pipeline-health-monitor`."""

    timestamp_column: Name
    max_age_hours: Hours
    timezone: Zone = "UTC"


class QualitySla(Struct, frozen=True, forbid_unknown_fields=True):
    """Which share of the rows may be wrong.

    Attributes:
        query: returns one value, the share (0 to 1). It runs as it is written; `{table}` is
            the table's quoted name.
    """

    query: Name
    max_failure_rate: Share


class AvailabilitySla(Struct, frozen=True, forbid_unknown_fields=True):
    """In which share of the rounds the table must be readable.

    Attributes:
        target_availability: percent, such as 99.9, or a share, such as 0.999.
        lookback_hours: the rounds that count; without a ledger only the present one does.
    """

    target_availability: Target = 99.0
    lookback_hours: Hours = 24

    @property
    def percent(self) -> float:
        """The target in percent."""
        target = self.target_availability
        return target * 100 if target <= 1 else target


class TableSla(Struct, frozen=True, forbid_unknown_fields=True):
    """A table and its SLAs."""

    table_id: TableId
    conn_id: Name | None = None
    critical: bool = False
    owner: str | None = None
    freshness_sla: FreshnessSla | None = None
    quality_sla: QualitySla | None = None
    availability_sla: AvailabilitySla | None = None

    def checks(self) -> TableHealth:
        """Return what is to be asked of the warehouse."""
        fresh, quality = self.freshness_sla, self.quality_sla
        limits = None
        if fresh is not None:
            limits = Freshness(
                timestamp_column=fresh.timestamp_column,
                max_age_hours=fresh.max_age_hours,
                timezone=fresh.timezone,
            )
        return TableHealth(
            table_id=self.table_id,
            conn_id=self.conn_id,
            critical=self.critical,
            owner=self.owner,
            freshness=limits,
            check_availability=self.availability_sla is not None,
            checks=()
            if quality is None
            else (CustomCheck(name="quality", sql=quality.query, max=quality.max_failure_rate),),
        )


class SlaConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What `sla-tracker` watches.

    Attributes:
        conn_id: the Airflow connection of the tables; BigQuery with the default credentials
            where there is none.
        target_percent: the share of the SLAs that is to be kept; the rest is the error budget.
        report_days: how far back a report goes.
        ledger: URL of the ledger in which each round is kept and from which alerts are sent,
            or `airflow` for that of `[dataops] ledger`.
    """

    pipelines: tuple[PipelineSla, ...] = ()
    tables: tuple[TableSla, ...] = ()
    conn_id: Name | None = None
    project: Name | None = None
    location: Name | None = None
    target_percent: Annotated[float, Meta(gt=0, lt=100)] = 99.0
    report_days: Annotated[int, Meta(ge=1, le=3660)] = 30
    ledger: Name | None = None

    @property
    def max_ages(self) -> dict[str, float | None]:
        """Return the hours that each table may be old; None where it has no such limit."""
        limits = {sla.table_id: sla.freshness_sla for sla in self.tables}
        return {id_: None if each is None else each.max_age_hours for id_, each in limits.items()}
