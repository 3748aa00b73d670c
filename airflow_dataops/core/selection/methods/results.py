"""Methods that look at earlier runs: result, source_status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.arguments import did_you_mean
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_dataops.core.selection.scope import Scope
    from airflow_dataops.core.selection.spec import Criterion

# dbt's: of runs, of tests, of both.
_STATUSES = ("success", "partial success", "pass", "warn", "fail", "error", "skipped", "no-op")


def by_result(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`result:error`: what ended so in an earlier run."""
    if scope.inputs.results is None:
        raise ConfigError(
            f"selector {criterion.text!r} looks at an earlier run, and there are no results. "
            "Name the folder with its run_results.json as the state (state=, --state)."
        )
    if criterion.pattern not in _STATUSES:
        raise ConfigError(
            f"selector {criterion.text!r}: {criterion.pattern!r} is no status of dbt"
            f"{did_you_mean(criterion.pattern, _STATUSES)}; those are {', '.join(_STATUSES)}."
        )
    results, statuses = scope.inputs.results, scope.inputs.statuses
    if statuses is not None and criterion.pattern not in statuses:
        raise ConfigError(
            f"selector {criterion.text!r}: the ledger keeps what went wrong in a run "
            f"({', '.join(sorted(statuses))}). For anything else name the folder with its "
            "run_results.json as the state (state=)."
        )
    return (node.id for node in scope.nodes if results.get(node.id) == criterion.pattern)


def known_results(scope: Scope, criterion: Criterion) -> Iterable[str]:
    """Return dbt's statuses."""
    return _STATUSES


def by_source_status(scope: Scope, criterion: Criterion) -> Iterator[str]:
    """`source_status:fresher`: sources that were loaded since an earlier look."""
    if criterion.pattern != "fresher":
        raise ConfigError(f"selector {criterion.text!r}: source_status is always fresher.")
    if scope.inputs.freshness is None:
        raise ConfigError(
            f"selector {criterion.text!r} compares two looks at the sources, and they are not "
            "there. Name the folder with the earlier sources.json as the state (state=, "
            "--state), and put the present one beside the manifest."
        )
    now, before = scope.inputs.freshness.now, scope.inputs.freshness.before
    for node in scope.nodes:
        if node.id in now and (node.id not in before or now[node.id] > before[node.id]):
            yield node.id
