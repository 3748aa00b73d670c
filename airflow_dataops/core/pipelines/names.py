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
_OURS = "airflow_dataops.operators"
_LOADS = {
    "append": f"{_OURS}.loads.append.AppendOperator",
    "apply_changes": f"{_OURS}.loads.changes.ApplyChangesOperator",
    "history": f"{_OURS}.loads.history.HistoryOperator",
    "increment": f"{_OURS}.loads.increment.IncrementOperator",
    "load_partition": f"{_OURS}.loads.partition.LoadPartitionOperator",
    "merge": f"{_OURS}.loads.merge.MergeOperator",
    "replace": f"{_OURS}.loads.replace.ReplaceOperator",
    "transfer": f"{_OURS}.loads.transfer.TransferOperator",
    "stage": f"{_OURS}.loads.stage.StageOperator",
    "gate": f"{_OURS}.loads.stage.GateOperator",
    "sweep": f"{_OURS}.loads.stage.SweepOperator",
    "sla_monitor": f"{_OURS}.sla_monitor.SlaMonitorOperator",
}
GROUPS = {
    "dbt_task_group": "airflow_dataops.task_groups.dbt.dbt_task_group",
    "load_task_group": "airflow_dataops.task_groups.loads.load_task_group",
}
"""What makes a group of tasks; its first argument is the group's id."""
_CORE = "airflow_dataops.core.loads"
OBJECTS = {
    "Append": f"{_CORE}.specs.Append",
    "ApplyChanges": f"{_CORE}.specs.ApplyChanges",
    "History": f"{_CORE}.specs.History",
    "Increment": f"{_CORE}.specs.Increment",
    "LoadPartition": f"{_CORE}.specs.LoadPartition",
    "Merge": f"{_CORE}.specs.Merge",
    "Replace": f"{_CORE}.specs.Replace",
    "Within": f"{_CORE}.specs.Within",
    "Gate": f"{_CORE}.gates.Gate",
    "AlertNotifier": "airflow_dataops.callbacks.alerts.AlertNotifier",
    "BigQueryFiles": "airflow_dataops.hooks.bigquery_files.BigQueryFiles",
    "ConnectionQuery": "airflow_dataops.hooks.connection_query.ConnectionQuery",
    "DbtConfig": "airflow_dataops.operators.dbt_config.DbtConfig",
    "Files": "airflow_dataops.hooks.file_source.Files",
    "KafkaTopic": "airflow_dataops.hooks.kafka_topic.KafkaTopic",
    "SnowflakeFiles": "airflow_dataops.hooks.snowflake_files.SnowflakeFiles",
}
"""What `$new` makes."""

TASKS = _AIRFLOW | _LOADS | GROUPS
OPERATORS = TASKS | {path.rpartition(".")[2]: path for path in TASKS.values()}
"""Import paths by short name (`bash`) and by the name of the class (`BashOperator`)."""
FACTORIES = frozenset(GROUPS.values())
