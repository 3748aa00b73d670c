"""Data pipelines from manifests on Apache Airflow.

The public names, each loaded when it is first asked for; importing the package imports
nothing else.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "load_dags": "airflow_dataops.dag_factory.load",
    "dbt_dag": "airflow_dataops.dag_factory.dbt",
    "dbt_task_group": "airflow_dataops.task_groups.dbt",
    "ManifestSource": "airflow_dataops.planning.sources",
    "DbtConfig": "airflow_dataops.planning.dbt_config",
    "DbtBuildOperator": "airflow_dataops.operators.build",
    "DbtTestOperator": "airflow_dataops.operators.test",
    "FreshnessOperator": "airflow_dataops.operators.freshness",
    "load_task_group": "airflow_dataops.task_groups.loads",
    "AppendOperator": "airflow_dataops.operators.loads.append",
    "ApplyChangesOperator": "airflow_dataops.operators.loads.changes",
    "HistoryOperator": "airflow_dataops.operators.loads.history",
    "IncrementOperator": "airflow_dataops.operators.loads.increment",
    "LoadPartitionOperator": "airflow_dataops.operators.loads.partition",
    "MergeOperator": "airflow_dataops.operators.loads.merge",
    "ReplaceOperator": "airflow_dataops.operators.loads.replace",
    "TransferOperator": "airflow_dataops.operators.loads.transfer",
    "ConnectionQuery": "airflow_dataops.hooks.connection_query",
    "BigQueryFiles": "airflow_dataops.hooks.bigquery_files",
    "Files": "airflow_dataops.hooks.file_source",
    "KafkaTopic": "airflow_dataops.hooks.kafka_topic",
    "SnowflakeFiles": "airflow_dataops.hooks.snowflake_files",
    "Gate": "airflow_dataops.core.loads.gates",
    "write_audit_publish": "airflow_dataops.task_groups.audit",
    "AuditSweepOperator": "airflow_dataops.operators.loads.audit",
    "Contract": "airflow_dataops.core.quality.contract",
    "ContractColumn": "airflow_dataops.core.quality.contract",
    "Evolution": "airflow_dataops.core.quality.contract",
    "read_contract": "airflow_dataops.adapters.contract_files",
    "contract_of_dbt": "airflow_dataops.adapters.contract_files",
    "QualityBranchOperator": "airflow_dataops.operators.quality_branch",
    "QualityOperator": "airflow_dataops.operators.quality",
    "NullRate": "airflow_dataops.core.quality.checks",
    "DuplicateRate": "airflow_dataops.core.quality.checks",
    "AcceptedValues": "airflow_dataops.core.quality.checks",
    "AcceptedRange": "airflow_dataops.core.quality.checks",
    "ForeignKey": "airflow_dataops.core.quality.checks",
    "RowCount": "airflow_dataops.core.quality.checks",
    "MaxAge": "airflow_dataops.core.quality.checks",
    "Metric": "airflow_dataops.core.quality.checks",
    "SqlCheck": "airflow_dataops.core.quality.checks",
    "PythonCheck": "airflow_dataops.core.quality.checks",
    "RowCountHistory": "airflow_dataops.core.quality.history",
    "QualityPolicy": "airflow_dataops.core.quality.policy",
    "Append": "airflow_dataops.core.loads.specs",
    "ApplyChanges": "airflow_dataops.core.loads.specs",
    "History": "airflow_dataops.core.loads.specs",
    "Increment": "airflow_dataops.core.loads.specs",
    "LoadPartition": "airflow_dataops.core.loads.specs",
    "Merge": "airflow_dataops.core.loads.specs",
    "Replace": "airflow_dataops.core.loads.specs",
    "Within": "airflow_dataops.core.loads.specs",
    "backfill": "airflow_dataops.adapters.backfills",
    "asset_of": "airflow_dataops.operators.assets",
    "set_sla": "airflow_dataops.slas.setting",
    "load_slas": "airflow_dataops.dag_factory.slas",
    "sla_monitor_dag": "airflow_dataops.dag_factory.monitor",
    "CallbackRef": "airflow_dataops.core.sla.policies",
    "Escalation": "airflow_dataops.core.sla.misses",
    "DuckDBHook": "airflow_dataops.hooks.duckdb",
    "AlertNotifier": "airflow_dataops.callbacks.alerts",
    "raise_alert": "airflow_dataops.callbacks.alerts",
    "raise_alert_async": "airflow_dataops.callbacks.alerts",
    "InputsSensor": "airflow_dataops.operators.inputs",
    "StageOperator": "airflow_dataops.operators.loads.stage",
    "BreakerClosedSensor": "airflow_dataops.sensors.breaker",
    "KafkaArrivalTrigger": "airflow_dataops.triggers.kafka",
    "CircuitBreaker": "airflow_dataops.hooks.breaker",
    "ErrorRetryPolicy": "airflow_dataops.operators.retrying",
    "guarded": "airflow_dataops.operators.retrying",
    "TableFreshSensor": "airflow_dataops.sensors.tables",
    "PartitionCompleteSensor": "airflow_dataops.sensors.tables",
    "RowCountStableSensor": "airflow_dataops.sensors.tables",
    "FileCompleteSensor": "airflow_dataops.sensors.files",
    "ModelPublishedSensor": "airflow_dataops.sensors.published",
    "GateOperator": "airflow_dataops.operators.loads.stage",
    "SweepOperator": "airflow_dataops.operators.loads.stage",
    "SlaMonitorOperator": "airflow_dataops.operators.sla_monitor",
    "FusedOperator": "airflow_dataops.operators.fused",
    "ManifestFolderBundle": "airflow_dataops.dag_factory.bundle",
    "SlaMissContext": "airflow_dataops.core.alerts.context",
    "Tier": "airflow_dataops.core.sla.misses",
    "Severity": "airflow_dataops.core.model",
    "Drift": "airflow_dataops.core.loads.specs",
    "NullKeys": "airflow_dataops.core.loads.specs",
    "OnEmpty": "airflow_dataops.core.loads.specs",
    "Outside": "airflow_dataops.core.loads.specs",
    "Compare": "airflow_dataops.core.loads.specs",
    "Missing": "airflow_dataops.core.loads.specs",
    "NullCursor": "airflow_dataops.core.loads.specs",
    "Envelope": "airflow_dataops.core.loads.specs",
    "Duplicates": "airflow_dataops.core.loads.choices",
    "TextOrder": "airflow_dataops.core.loads.choices",
    "NonFinite": "airflow_dataops.core.loads.choices",
    "SameSequence": "airflow_dataops.core.loads.choices",
    "SameTime": "airflow_dataops.core.loads.choices",
    "EmptiedTarget": "airflow_dataops.core.loads.choices",
    "DataOpsError": "airflow_dataops.errors",
    "ManifestError": "airflow_dataops.errors",
    "ConfigError": "airflow_dataops.errors",
    "MissingExtraError": "airflow_dataops.errors",
    "RetryableError": "airflow_dataops.errors",
    "RunError": "airflow_dataops.errors",
    "SupersededError": "airflow_dataops.errors",
}

_RENAMED = {
    "Source": "ManifestSource",
    "BuildOperator": "DbtBuildOperator",
    "TestOperator": "DbtTestOperator",
}
"""Names of the last release -> those of today."""

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        return import_module("airflow_dataops.core.deprecation").renamed(__name__, _RENAMED)(name)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
