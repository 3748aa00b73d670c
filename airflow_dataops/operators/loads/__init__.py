"""One operator per verb; the engine is the connection's."""

from __future__ import annotations

from airflow_dataops.operators.loads.append import AppendOperator
from airflow_dataops.operators.loads.changes import ApplyChangesOperator
from airflow_dataops.operators.loads.history import HistoryOperator
from airflow_dataops.operators.loads.increment import IncrementOperator
from airflow_dataops.operators.loads.merge import MergeOperator
from airflow_dataops.operators.loads.partition import LoadPartitionOperator
from airflow_dataops.operators.loads.replace import ReplaceOperator
from airflow_dataops.operators.loads.transfer import TransferOperator

__all__ = [
    "AppendOperator",
    "ApplyChangesOperator",
    "HistoryOperator",
    "IncrementOperator",
    "LoadPartitionOperator",
    "MergeOperator",
    "ReplaceOperator",
    "TransferOperator",
]
