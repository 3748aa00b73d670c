"""The pages on SLAs, alerts, health, metrics and the ledger: each config is read by its reader."""

from __future__ import annotations

import configparser
import contextlib
import io
import json
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from airflow.sdk import DAG, BaseOperator

from airflow_dataops import AlertNotifier, raise_alert, set_sla
from airflow_dataops.config_section import config_section
from airflow_dataops.core.alerts.config import parse_config
from airflow_dataops.core.decoding import decode, read_yaml
from airflow_dataops.core.engines import registry
from airflow_dataops.core.health.config import HealthConfig, TableHealth
from airflow_dataops.core.health.monitor import check_all
from airflow_dataops.core.health.sla_config import SlaConfig
from airflow_dataops.core.manifests.orchestration import read_orchestration
from airflow_dataops.core.metrics.batch import Batch
from airflow_dataops.core.sla.rules import read_rules
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks import connectors
from airflow_dataops.hooks.duckdb import DuckDBHook
from airflow_dataops.hooks.warehouses import open_warehouse
from tests.docs.blocks import block
from tests.docs.running import slas_of
from tests.fakes.metric_sink import FakeSink
from tests.unit.metrics.pipelines import in_use, pipeline_into

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_dataops.core.model import Orchestration
    from tests.docs.running import Desk

ALERTS_SETTING = block("docs/alerts.md", 2)
ALERTS_DAG = block("docs/alerts.md", 3)
ALERTS = block("docs/alerts.md", 5)
BUNDLE = block("docs/bundle.md", 1)
COST = block("docs/cost.md", 2)
ENVIRONMENT = block("docs/docker-compose.md", 1)
HOOK = block("docs/duckdb.md", 1)
HEALTH = block("docs/health.md", 2)
OWN_CHECKS = block("docs/health.md", 3)
OWN_FUNCTION = block("docs/health.md", 4)
MISTAKES = block("docs/health.md", 5)
LEDGER = block("docs/ledger.md", 1)
FROM_PYTHON = block("docs/ledger.md", 2)
METADATA = block("docs/metadata.md", 1)
SINKS = block("docs/metrics.md", 1)
NUMBERS = block("docs/metrics.md", 2)
OWN_SINK = block("docs/metrics.md", 3)
TRACKER = block("docs/sla-tracker.md", 2)
MONITOR = block("docs/slas-detection.md", 1)
SET_SLA = block("docs/slas.md", 1)
CALLBACKS = block("docs/slas.md", 2)
SLA_METADATA = block("docs/slas.md", 3)
SLA_FILE = block("docs/slas.md", 4)
WITH_FILE = block("docs/slas.md", 5)
SLA_SETTING = block("docs/slas.md", 6)


def section(text: str, name: str) -> dict[str, str]:
    """Read a block as Airflow reads its configuration."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return dict(parser[name])


def test_the_alerts_file_is_read() -> None:
    config = parse_config(read_yaml(ALERTS.text, "alerts.yaml"))
    assert [route.name for route in config.routes] == [
        *("finance at night", "critical", "everything"),
    ]
    assert config.routes[0].receivers == ("pagerduty:finance_duty",)
    assert config.routes[1].escalate[0].after_minutes == 30
    assert date(2026, 12, 25) in config.holidays


def test_the_alerts_file_is_a_setting() -> None:
    (name,) = section(ALERTS_SETTING.text, "dataops")
    assert name in config_section()["dataops"]["options"]


def test_failures_are_told(desk: Desk) -> None:
    """A DAG's by the routes, a task's to the receiver that it names."""
    (dag,) = desk.dags(ALERTS_DAG).values()
    assert dag.on_failure_callback == raise_alert
    (notifier,) = dag.get_task("orders").on_failure_callback
    assert isinstance(notifier, AlertNotifier)
    assert (notifier.receivers, str(notifier.tier)) == (("slack:ops#alerts",), "critical")


def test_the_bundle_takes_its_arguments() -> None:
    from airflow_dataops.dag_factory.bundle import ManifestFolderBundle

    (listed,) = json.loads(section(BUNDLE.text, "dag_processor")["dag_bundle_config_list"])
    assert listed["classpath"].endswith(ManifestFolderBundle.__name__)
    bundle = ManifestFolderBundle(name=listed["name"], **listed["kwargs"])
    assert bundle.supports_versioning


def test_the_threshold_of_costs_is_read() -> None:
    found = decode(COST.text, HealthConfig, source="config")
    assert (found.check_costs, found.cost_threshold_usd, found.cost_lookback_hours) == (
        *(True, 100.0, 24),
    )


def test_the_secrets_of_the_compose_file_are_made(tmp_path: Path) -> None:
    """Readable for nobody else."""
    subprocess.run(["bash", "-euc", ENVIRONMENT.text], cwd=tmp_path, check=True)
    file = tmp_path / ".env"
    names = [line.partition("=")[0] for line in file.read_text().splitlines()]
    assert len(set(names)) == 7
    assert file.stat().st_mode & 0o077 == 0


def test_the_hook_reads_what_it_wrote(desk: Desk) -> None:
    assert desk.run_file(HOOK)["rows"] == [(1,)]
    assert DuckDBHook("warehouse").get_records("from t") == [(1,)]


def test_the_health_config_is_read() -> None:
    (table,) = decode(HEALTH.text, HealthConfig, source="config").tables
    assert table.table_id == "project.dataset.fct_orders"
    assert table.freshness is not None
    assert table.freshness.max_age_hours == 2


def test_checks_of_ones_own_judge_a_table(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The query and the function of the page, on DuckDB; the file is the project."""
    desk.connect("warehouse", desk.folder / "project.duckdb")
    desk.sql(
        "create schema dataset; set schema = 'project.dataset';"
        "create table fct_orders (revenue integer, refunds integer);"
        "create table main.orders (revenue integer);"
        "insert into fct_orders values (10, 1), (5, 7); insert into main.orders values (1), (0)",
        desk.folder / "project.duckdb",
    )
    (desk.folder / "my_checks.py").write_text(OWN_FUNCTION.text)
    monkeypatch.syspath_prepend(desk.folder)
    table = decode(OWN_CHECKS.text, TableHealth, source="config")
    verdicts = check_all(
        [table],
        open_warehouse,
        conn_id="warehouse",
        now=datetime.now(UTC),
        progress=lambda _=1: None,
    )
    assert {str(verdict.check): str(verdict.status) for verdict in verdicts} == {
        "refunds": "FAIL",
        "business": "FAIL",
    }


def test_mistakes_are_told_in_the_words_of_the_page() -> None:
    wrong = {"timestamp_colum": "created_at", "max_age_hours": -1}
    full = wrong | {"timestamp_column": "created_at"}
    text = json.dumps({"tables": [{"table_id": "a.b", "freshness": full}]})
    with pytest.raises(ConfigError) as caught:
        decode(text, HealthConfig, source="health-config.json")
    assert f"Error: {caught.value}\n" == MISTAKES.text


def test_the_ledger_is_a_connection(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """And answers from Python what failed yesterday."""
    from airflow_dataops.core.ledger.events import TaskEvent
    from airflow_dataops.hooks.alerts import open_ledger

    setting = section(LEDGER.text, "dataops")["ledger"]
    uri = json.dumps({"conn_type": "sqlite", "host": str(desk.folder / "ledger.db")})
    monkeypatch.setenv("AIRFLOW_CONN_DATAOPS_LEDGER", uri)
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", setting)
    then = datetime.now(UTC) - timedelta(hours=2)
    failed = TaskEvent(
        dag_id="shop",
        run_id="r",
        task_id="fct_orders",
        try_number=1,
        state="failed",
        observed_at=then,
        started_at=then,
        ended_at=then,
    )
    open_ledger().write([failed, msgspec.structs.replace(failed, dag_id="other")])
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        desk.run_file(FROM_PYTHON)
    assert printed.getvalue().split()[0] == "fct_orders"
    assert len(printed.getvalue().splitlines()) == 1
    assert (desk.folder / "ledger.db").exists()


def orchestration(text: str) -> tuple[Orchestration, list[str]]:
    (model,) = read_yaml(text, "schema.yml")["models"]
    said: list[str] = []
    return read_orchestration(model["config"]["meta"], said.append), said


def test_metadata_is_read() -> None:
    found, said = orchestration(METADATA.text)
    assert said == []
    assert (found.schedule, found.sla_minutes, found.freshness_minutes) == ("@daily", 120, 60)
    assert (found.critical, found.owner) == (True, "finance@example.com")
    assert found.airflow == {"pool": "warehouse", "execution_timeout": "30m"}


def test_slas_in_metadata_are_read() -> None:
    found, said = orchestration(SLA_METADATA.text)
    assert said == []
    assert found.slas == ({"by": "07:00", "timezone": "Europe/Berlin", "days": "workdays"},)


def test_the_sinks_of_metrics_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_dataops.plugins.configured import read_settings

    setting = section(SINKS.text, "dataops")["metrics_sinks"]
    monkeypatch.setenv("AIRFLOW__DATAOPS__METRICS_SINKS", setting)
    assert read_settings().sinks == ("statsd://localhost:8125", "conn:ops_datadog")


def test_numbers_of_ones_own_reach_the_sink(desk: Desk) -> None:
    sink = FakeSink()
    load_orders: Callable[..., None] = desk.run_file(NUMBERS)["load_orders"]
    with in_use(pipeline_into(sink)) as pipeline:
        load_orders([{}, {}])
        assert pipeline.flush() is True
    counted = {(s.name, dict(s.tags)["country"]): v for s, v in sink.sent.counters.items()}
    assert counted == {("orders.loaded", "de"): 2}
    assert [(s.name, v) for s, v in sink.sent.gauges.items()] == [("orders.backlog", 17)]
    assert [s.name for s in sink.sent.timings] == ["orders.parse_seconds"]


def test_a_sink_of_ones_own_prints(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by its address, with its option."""
    from airflow_dataops.adapters.sinks import open_sink
    from airflow_dataops.core.metrics.settings import parse_sink

    (desk.folder / "my_sinks.py").write_text(OWN_SINK.text)
    monkeypatch.syspath_prepend(desk.folder)
    sink = open_sink(parse_sink("import:my_sinks.PrintingSink?colour=blue"))
    kept = FakeSink()
    load_orders = desk.run_file(NUMBERS)["load_orders"]
    with in_use(pipeline_into(kept)) as pipeline:
        load_orders([{}])
        pipeline.flush()
    assert isinstance(kept.sent, Batch)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        sink.send(kept.sent)
    assert printed.getvalue().splitlines() == [
        "blue orders.loaded {'country': 'de'} 1.0",
        "blue orders.backlog {} 17.0",
        "blue orders.parse_seconds 1 0.42 0.42",
    ]
    sys.modules.pop("my_sinks")


def test_the_config_of_the_tracker_is_read() -> None:
    found = decode(TRACKER.text, SlaConfig, source="config")
    assert [each.name for each in found.pipelines] == ["daily_aggregation"]
    assert [each.table_id for each in found.tables] == ["project.dataset.fct_orders"]


def test_the_monitor_is_a_dag_that_runs_without_end(desk: Desk) -> None:
    (dag,) = desk.dags(MONITOR).values()
    assert (dag.dag_id, dag.schedule, dag.task_ids) == ("sla_monitor", "@continuous", ["watch"])


def test_each_subject_has_its_sla(desk: Desk) -> None:
    (dag,) = desk.dags(SET_SLA).values()
    found = {(str(sla.kind), sla.task_id or sla.subject or ""): sla.name for sla in slas_of(dag)}
    assert found == {
        ("task", "extract"): "within 30 min",
        ("task", "load"): "2 h after the run's start",
        ("task_group", "marts"): "by 07:00 Europe/Berlin",
        ("dag", ""): "9 h after the data interval",
        ("asset", "orders"): "at most 1 h old",
    }


def test_callbacks_are_taken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last is a function of the author's own, on the path of Airflow's processes."""
    (desk.folder / "shop").mkdir()
    code = "def open_ticket(context: dict, queue: str) -> None: ..."
    (desk.folder / "shop" / "callbacks.py").write_text(code)
    monkeypatch.syspath_prepend(desk.folder)
    callbacks = desk.run_file(CALLBACKS)["on_sla_miss"]
    with DAG("d") as dag:
        set_sla(BaseOperator(task_id="t"), within="1h", on_sla_miss=callbacks)
    (sla,) = slas_of(dag)
    assert [(ref.path.rpartition(".")[2], ref.kwargs) for ref in sla.on_miss] == [
        ("raise_alert", {"receivers": ["slack:ops"]}),
        ("SmtpNotifier", {"to": "ops@shop.example", "subject": "{{ subject }} is late"}),
        ("open_ticket", {"queue": "data"}),
    ]


def test_the_sla_file_gives_dags_their_slas(desk: Desk, shop: Any) -> None:
    assert len(read_rules(SLA_FILE.text, "docs/slas.md")) == 4
    (desk.folder / "slas.yaml").write_text(SLA_FILE.text)
    shop()
    dags = desk.dags(WITH_FILE)
    of_shop = {(sla.task_id or "", sla.name) for sla in slas_of(dags["shop"])}
    assert of_shop == {("", "by 07:00 Europe/Berlin"), ("fct_orders", "within 30 min")}


def test_the_sla_file_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    (name,) = section(SLA_SETTING.text, "dataops")
    assert name in config_section()["dataops"]["options"]


def test_the_entry_points_of_engines_are_those_that_are_read() -> None:
    named = tomllib.loads(block("docs/engines.md", 1).text)["project"]["entry-points"]
    assert list(named) == [registry.GROUP, connectors.GROUP]
