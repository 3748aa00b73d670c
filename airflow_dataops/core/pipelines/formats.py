"""Faults as people and machines read them: text, JSON, SARIF, annotations of GitHub.

SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/; workflow commands:
https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_dataops import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.pipelines.faults import Fault

FORMATS = ("text", "json", "sarif", "github")


def formatted(faults: Sequence[Fault], form: str) -> str:
    """Return faults in one of the `FORMATS`; as text, one line each."""
    match form:
        case "json":
            return json.dumps([_flat(fault) for fault in faults], indent=2)
        case "sarif":
            return json.dumps(_sarif(faults), indent=2)
        case "github":
            return "\n".join(_annotation(fault) for fault in faults)
    return "\n".join(f"{fault} [{fault.rule}]" for fault in faults)


def _flat(fault: Fault) -> dict[str, Any]:
    place = fault.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "path": fault.path,
        "rule": fault.rule,
        "message": fault.message,
    }


def _sarif(faults: Sequence[Fault]) -> dict[str, Any]:
    rules = sorted({fault.rule for fault in faults})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "airflow-dataops",
                        "version": __version__,
                        "informationUri": "https://github.com/airflow-dataops/airflow-dataops",
                        "rules": [{"id": rule} for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(fault) for fault in faults],
            }
        ],
    }


def _result(fault: Fault) -> dict[str, Any]:
    place = fault.place
    region = {"startLine": place.line, "startColumn": place.column}
    return {
        "ruleId": fault.rule,
        "level": "error",
        "message": {"text": f"{fault.path}: {fault.message}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": place.file.replace("\\", "/")},
                    "region": region,
                },
                "logicalLocations": [{"fullyQualifiedName": fault.path}],
            }
        ],
    }


def _annotation(fault: Fault) -> str:
    place = fault.place
    where = f"file={_property(place.file)},line={place.line},col={place.column}"
    told = _data(f"{fault.path}: {fault.message}")
    return f"::error {where},title={_property(fault.rule)}::{told}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
