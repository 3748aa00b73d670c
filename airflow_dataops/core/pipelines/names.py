"""Short names for what pipelines are made of. Everything else is named by its import path."""

from __future__ import annotations

_STANDARD = "airflow.providers.standard"
_AIRFLOW = {
    "bash": f"{_STANDARD}.operators.bash.BashOperator",
    "python": f"{_STANDARD}.operators.python.PythonOperator",
    "branch": f"{_STANDARD}.operators.python.BranchPythonOperator",
    "short_circuit": f"{_STANDARD}.operators.python.ShortCircuitOperator",
    "python_virtualenv": f"{_STANDARD}.operators.python.PythonVirtualenvOperator",
    "external_python": f"{_STANDARD}.operators.python.ExternalPythonOperator",
    "empty": f"{_STANDARD}.operators.empty.EmptyOperator",
    "latest_only": f"{_STANDARD}.operators.latest_only.LatestOnlyOperator",
    "trigger_dag": f"{_STANDARD}.operators.trigger_dagrun.TriggerDagRunOperator",
    "branch_day_of_week": f"{_STANDARD}.operators.weekday.BranchDayOfWeekOperator",
    "branch_date_time": f"{_STANDARD}.operators.datetime.BranchDateTimeOperator",
    "approval": f"{_STANDARD}.operators.hitl.ApprovalOperator",
    "bash_sensor": f"{_STANDARD}.sensors.bash.BashSensor",
    "date_time_sensor": f"{_STANDARD}.sensors.date_time.DateTimeSensor",
    "external_task": f"{_STANDARD}.sensors.external_task.ExternalTaskSensor",
    "file_sensor": f"{_STANDARD}.sensors.filesystem.FileSensor",
    "python_sensor": f"{_STANDARD}.sensors.python.PythonSensor",
    "time_sensor": f"{_STANDARD}.sensors.time.TimeSensor",
    "time_delta_sensor": f"{_STANDARD}.sensors.time_delta.TimeDeltaSensor",
    "sql": "airflow.providers.common.sql.operators.sql.SQLExecuteQueryOperator",
    "sql_check": "airflow.providers.common.sql.operators.sql.SQLCheckOperator",
    "sql_column_check": "airflow.providers.common.sql.operators.sql.SQLColumnCheckOperator",
    "sql_table_check": "airflow.providers.common.sql.operators.sql.SQLTableCheckOperator",
    "sql_value_check": "airflow.providers.common.sql.operators.sql.SQLValueCheckOperator",
    "sql_threshold_check": "airflow.providers.common.sql.operators.sql.SQLThresholdCheckOperator",
    "sql_interval_check": "airflow.providers.common.sql.operators.sql.SQLIntervalCheckOperator",
    "sql_branch": "airflow.providers.common.sql.operators.sql.BranchSQLOperator",
    "sql_transfer": "airflow.providers.common.sql.operators.generic_transfer.GenericTransfer",
    "sql_sensor": "airflow.providers.common.sql.sensors.sql.SqlSensor",
}
_OURS = "airflow_dataops"
VERBS = {
    "append": "Append",
    "apply_changes": "ApplyChanges",
    "history": "History",
    "increment": "Increment",
    "load_partition": "LoadPartition",
    "merge": "Merge",
    "replace": "Replace",
}
"""What loads do, by short name: the operator of `Merge` is `MergeOperator`."""
_LOADS = {
    **{name: f"{_OURS}.{verb}Operator" for name, verb in VERBS.items()},
    "transfer": f"{_OURS}.TransferOperator",
    "stage": f"{_OURS}.StageOperator",
    "gate": f"{_OURS}.GateOperator",
    "sweep": f"{_OURS}.SweepOperator",
    "audit_sweep": f"{_OURS}.AuditSweepOperator",
    "quality_branch": f"{_OURS}.QualityBranchOperator",
    "quality": f"{_OURS}.QualityOperator",
    "sla_monitor": f"{_OURS}.SlaMonitorOperator",
}
GROUPS = {
    name: f"{_OURS}.{name}" for name in ("dbt_task_group", "load_task_group", "write_audit_publish")
}
"""What makes a group of tasks; its first argument is the group's id."""
OBJECTS = {
    name: f"{_OURS}.{name}"
    for name in (
        *VERBS.values(),
        *("Within", "Gate", "AlertNotifier", "BigQueryFiles", "ConnectionQuery", "DbtConfig"),
        *("Files", "KafkaTopic", "SnowflakeFiles", "QualityPolicy", "NullRate", "DuplicateRate"),
        *("AcceptedValues", "AcceptedRange", "ForeignKey", "RowCount", "RowCountHistory"),
        *("MaxAge", "Metric", "SqlCheck", "PythonCheck", "Contract", "ContractColumn"),
    )
}
"""What `$new` makes."""

TASKS = _AIRFLOW | _LOADS | GROUPS
OPERATORS = TASKS | {path.rpartition(".")[2]: path for path in TASKS.values()}
"""Import paths by short name (`bash`) and by the name of the class (`BashOperator`)."""
FACTORIES = frozenset(GROUPS.values())
