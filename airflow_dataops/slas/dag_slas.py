"""The SLAs of one DAG, where Airflow keeps them: its default arguments, tags and deadlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sla.declared import KEY, TAG, SlaList, slas_from_json
from airflow_dataops.slas.deadlines import Deadlines, put_deadlines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow.sdk import DAG

    from airflow_dataops.core.sla.policies import Sla


class DagSlas(SlaList):
    """What is in `default_args["slas"]`: plain data for Airflow, and what it was made of."""

    def __init__(self, dag_id: str, slas: Iterable[Sla] = ()) -> None:
        super().__init__(slas)
        self.dag_id = dag_id
        self.deadlines = Deadlines()


def put_slas(dag: DAG, slas: Iterable[Sla]) -> None:
    """Give a DAG these SLAs besides those that it has.

    Raises:
        ConfigError: a subject has two different ones of the same name.
    """
    kept = _kept(dag)
    changed = False
    for sla in slas:
        kept.add(sla)
        changed = kept.deadlines.add(sla) or changed
    _publish(dag, kept, changed)


def put_entries(
    dag: DAG, entries: Iterable[dict[str, Any]], about: Callable[[Sla, str], str]
) -> None:
    """Give a DAG SLAs that were written by `slas_to_json` before it had an id.

    Args:
        about: what the id of a task, asset or table becomes in this DAG.

    Raises:
        ConfigError: a subject has two different ones of the same name.
    """
    kept = _kept(dag)
    commons = kept.add_entries(entries, about, dag.dag_id)
    changed = [kept.deadlines.add(common) for common in commons]
    _publish(dag, kept, any(changed))


def _kept(dag: DAG) -> DagSlas:
    found = dag.default_args.get(KEY)
    if isinstance(found, DagSlas) and found.dag_id == dag.dag_id:
        return found
    if found is None or isinstance(found, DagSlas):
        # Another DAG's default arguments, given to this one as well.
        return DagSlas(dag.dag_id)
    kept = DagSlas(dag.dag_id)
    for sla in slas_from_json(found, f"default_args[{KEY!r}] of DAG {dag.dag_id!r}"):
        kept.add(sla)
        kept.deadlines.add(sla)
    return kept


def _publish(dag: DAG, kept: DagSlas, changed: bool) -> None:
    if not kept:
        return
    dag.default_args[KEY] = kept
    dag.tags.add(TAG)
    if changed:
        put_deadlines(dag, kept.deadlines.alerts())
