"""dbt's selection language: project and expression -> ids of nodes. dbt is not needed."""

from airflow_dataops.core.selection.artifacts import read_run_results, read_source_freshness
from airflow_dataops.core.selection.grammar import parse_expression
from airflow_dataops.core.selection.inputs import (
    FreshnessComparison,
    SelectionInputs,
    Selectors,
    StateComparison,
)
from airflow_dataops.core.selection.select import NodeSelector, SelectionWarning, select_nodes
from airflow_dataops.core.selection.spec import IndirectSelection, OnEmpty
from airflow_dataops.core.selection.yaml_selectors import load_selectors, parse_selectors

__all__ = [
    "FreshnessComparison",
    "IndirectSelection",
    "NodeSelector",
    "OnEmpty",
    "SelectionInputs",
    "SelectionWarning",
    "Selectors",
    "StateComparison",
    "load_selectors",
    "parse_expression",
    "parse_selectors",
    "read_run_results",
    "read_source_freshness",
    "select_nodes",
]
