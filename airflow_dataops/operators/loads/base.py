"""What the operators that load a table have in common."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, Required, TypedDict, Unpack

import msgspec
from airflow.sdk import Asset, AssetAlias

from airflow_dataops.core.arguments import (
    choice,
    duration,
    flag,
    optional_text,
    seconds,
    text,
)
from airflow_dataops.core.engines.names import parse_relation
from airflow_dataops.core.loads.choices import EmptiedTarget
from airflow_dataops.core.loads.detached import Detached, abandon, finish
from airflow_dataops.core.loads.overlap import lease_of
from airflow_dataops.core.loads.run import begin_load, run_load
from airflow_dataops.core.loads.specs import Drift, Load
from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql.catalog import full_name
from airflow_dataops.errors import ConfigError, RetryableError
from airflow_dataops.operators.arguments import SessionSettings
from airflow_dataops.operators.assets import load_outlet, table_asset
from airflow_dataops.operators.attempts import attempt_of
from airflow_dataops.operators.lineage import LoadLineage
from airflow_dataops.operators.loads.source import RowsArguments, SourceArguments
from airflow_dataops.operators.node import plain
from airflow_dataops.operators.session import SessionOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import ClassVar

    from airflow.sdk import Context

    from airflow_dataops.core.arguments import Duration
    from airflow_dataops.core.loads.specs import LoadResult, Verb
    from airflow_dataops.core.ports import SqlRunner


class LoadSettings(TypedDict, total=False):
    """How a load goes; see `LoadOperator`."""

    drift: Drift | str
    control_schema: str | None
    lease: Duration
    wait: Duration
    create: bool
    emptied_target: EmptiedTarget | str
    deferrable: bool | None
    poll_interval: Duration


class LoadTaskArguments(LoadSettings, SessionSettings, total=False):
    """What a task that loads takes besides its id, its target and its rows."""


class LoadArguments(LoadSettings, RowsArguments, total=False):
    """What every operator that loads a table takes; see `LoadOperator`."""

    target: Required[str]
    conn_id: Required[str]


class LoadOperator(SourceArguments, LoadLineage, SessionOperator):
    """Loads one table so that it may be killed, retried, run twice, late or by two at once.

    The rows come from a query or a table in the target's own warehouse, or from a `source`
    elsewhere (`ConnectionQuery`, `Files`): give one of the three. They are staged once and
    published in one transaction; readers see the table as it was or as it should be.

    Args:
        target: the table, such as `sales.orders` or `shop.sales.orders`. Parts that hold a
            dot or capitals on an engine that folds them are written in double quotes.
        conn_id: its warehouse.
        sql: a query, or the path of a `.sql` file with one. Jinja is rendered.
        table: a table, written like the target.
        source: rows from elsewhere; a text is a query in the target's warehouse, like `sql`.
        parameters: values bound to the placeholders of `sql`.
        drift: what becomes of columns that the target does not have.
        control_schema: where the tables of leases and watermarks are, such as `ops` or
            `shop.ops`; the target's schema by default.
        lease: how long the load may go on before another task may take its place: a
            timedelta, or seconds.
        wait: how long it waits for another task that loads the same: a timedelta, or seconds.
        create: whether a target that does not exist is made, with the source's columns, what
            the verb adds, and the key. Its schema has to exist.
        emptied_target: what the load does where the target has no rows, though its watermark
            or a log's positions say that it had some: `restart` (by default) from the source's
            beginning, `fail`, or `continue`, where rows are removed on purpose.
        deferrable: whether the task waits for the publication in the triggerer and not on a
            worker, where the engine runs it by itself (Snowflake, BigQuery); by default what
            Airflow's option `[operators] default_deferrable` says.
        poll_interval: seconds, or a timedelta, between two looks at such a publication.
        outlets: besides the target's asset, which is always one of them.

    Returns:
        `LoadResult` as a dict; its counts are in the extra of the assets that the task
        updates, too.

    Raises:
        RunError: the data or the SQL is wrong; Airflow does not retry it. The target is as it
            was.
        RetryableError: another task is loading the same.
    """

    template_fields: Sequence[str] = (
        *("target", "conn_id"),
        *SourceArguments.template_fields,
        "script",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "script": "sql"}
    overwrite_rtif_after_execution = True
    ui_color = "#d7f0e0"

    def __init__(
        self,
        *,
        target: str,
        conn_id: str,
        drift: Drift | str = Drift.REFUSE,
        control_schema: str | None = None,
        lease: Duration = timedelta(hours=1),
        wait: Duration = timedelta(minutes=10),
        create: bool = False,
        emptied_target: EmptiedTarget | str = EmptiedTarget.RESTART,
        deferrable: bool | None = None,
        poll_interval: Duration = 5.0,
        **arguments: Unpack[RowsArguments],
    ) -> None:
        super().__init__(**arguments)
        self.target = text(target, "target")
        self.conn_id = text(conn_id, "conn_id")
        self.drift = choice(Drift, drift, "drift")
        self.control_schema = optional_text(control_schema, "control_schema")
        _control(self.control_schema, None)
        self.lease = duration(lease, "lease", is_positive=True)
        self.wait = duration(wait, "wait")
        self.create = flag(create, "create")
        self.emptied_target = choice(EmptiedTarget, emptied_target, "emptied_target")
        self.deferrable = defers() if deferrable is None else flag(deferrable, "deferrable")
        self.poll_interval = seconds(poll_interval, "poll_interval", is_positive=True)
        self.script: str | None = None
        self._outlet = load_outlet(target, conn_id)
        self.outlets = [*self.outlets, self._outlet]

    def _subject(self) -> str:
        return self.target

    @abstractmethod
    def _verb(self) -> Verb:
        """Return what to do with the rows, from the rendered arguments."""

    def execute(self, context: Context) -> Any:
        """Load the target."""
        with self._recorded() as runner:
            load = self._load(context, runner.dialect)
            run = begin_load if self.deferrable else run_load
            found = run(load, self._source(runner.dialect), runner)
            asset = self._asset(runner)
        return self._end(context, found, asset)

    def execute_complete(
        self, context: Context, event: dict[str, Any], detached: dict[str, Any]
    ) -> Any:
        """Go on when the publication has ended, or was not to be waited for any longer.

        Raises:
            RetryableError: it was stopped.
        """
        begun = msgspec.convert(detached, Detached)
        with self._recorded() as runner:
            if event["status"] != "ended":
                abandon(begun, runner)
                raise RetryableError(_stopped(begun, event))
            found = finish(begun, runner)
            asset = self._asset(runner)
        self._show_script(f"{begun.script};\n\n{self.script}")
        return self._end(context, found, asset)

    def _asset(self, runner: SqlRunner) -> Asset:
        """Return the target's asset, which names its database whether or not the author did."""
        if isinstance(self._outlet, Asset):
            return self._outlet
        target = full_name(parse_relation(self.target, runner.dialect), runner)
        return table_asset(target, self.conn_id, runner.dialect)

    def _end(self, context: Context, found: LoadResult | Detached, asset: Asset) -> Any:
        if isinstance(found, Detached):
            self._wait_for(found)
        self.log.info("%s", _said(found))
        self._tell_load(found.target, found.inserted, found.updated, found.deleted)
        if (context.get("params") or {}).get("assets") is False:
            self.log.info("Not told to other DAGs: the run was asked for without assets")
            self.outlets = []
        for outlet in self.outlets:
            event = context["outlet_events"][outlet]
            if outlet == self._outlet and isinstance(outlet, AssetAlias):
                event.add(asset, extra=_extra(found))
            else:
                event.extra = _extra(found)
        return plain(found)

    def _wait_for(self, detached: Detached) -> NoReturn:
        from airflow_dataops.triggers.publication import PublicationTrigger

        timeout = self.execution_timeout
        self.log.info("%s is published by query %s", detached.target, detached.job)
        self.defer(
            trigger=PublicationTrigger(
                conn_id=self.conn_id,
                detached=plain(msgspec.structs.replace(detached, script="")),
                deadline=None if timeout is None else (datetime.now(UTC) + timeout).isoformat(),
                poll_interval=self.poll_interval,
            ),
            method_name="execute_complete",
            kwargs={"detached": plain(detached)},
        )

    def _load(self, context: Context, dialect: str) -> Load:
        verb = self._verb()
        return Load(
            target=parse_relation(self.target, dialect),
            verb=verb,
            attempt=attempt_of(context),
            drift=self.drift,
            partition=lease_of(verb),
            control=_control(self.control_schema, dialect),
            lease=self.lease,
            wait=self.wait,
            create=self.create,
            emptied_target=self.emptied_target,
            origin=self.origin,
        )


def defers() -> bool:
    """Return what Airflow's configuration says of operators that can defer."""
    from airflow.sdk.configuration import conf

    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


def _stopped(detached: Detached, event: Mapping[str, Any]) -> str:
    why = {
        "late": "it did not end within execution_timeout",
        "lost": f"the triggerer could not ask for it ({event.get('error', '')})",
    }[event["status"]]
    return (
        f"{detached.target}: the publication (query {detached.job}) was stopped, for {why}. The "
        "table is as it was, or loaded as a whole; run the task again to be sure."
    )


def _control(schema: str | None, dialect: str | None) -> Relation | None:
    if schema is None:
        return None
    found = parse_relation(schema, dialect)
    if found.database is not None:
        raise ConfigError(f"control_schema={schema!r}: write schema or database.schema.")
    return Relation(identifier="", schema=found.identifier, database=found.schema)


def _said(result: LoadResult) -> str:
    counts = {name: getattr(result, name) for name in ("inserted", "updated", "deleted")}
    did = ", ".join(f"{rows} {name}" for name, rows in counts.items() if rows is not None)
    partitions = f" ({', '.join(result.partitions)})" if result.partitions else ""
    watermark = f", watermark {result.watermark}" if result.watermark else ""
    return f"{result.target}{partitions}: {result.staged} rows staged, {did or 'done'}{watermark}"


def _extra(result: LoadResult) -> dict[str, Any]:
    found: dict[str, Any] = plain(result)
    return {name: value for name, value in found.items() if name != "target"}
