"""One measurement, in the fresh process that this is: prints one line of JSON.

    python -m benchmarks.child MEASURE CONTESTANT MANIFEST [COUNT]

CPU time is user and system time of this process, children apart. Peaks are KiB of resident
memory: `VmHWM` of proc(5), so Linux is needed.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import contestants

if TYPE_CHECKING:
    from collections.abc import Callable

BUILDERS = {
    "ours": contestants.ours,
    "by_hand": contestants.by_hand,
    "cosmos": contestants.cosmos,
}
GROUPS = {"ours": contestants.our_groups, "cosmos": contestants.cosmos_groups}


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak() -> int:
    """Most memory so far. `ru_maxrss` would count that of the process which started this one."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    before = cpu()
    result = work()
    return cpu() - before, result


def import_airflow() -> None:
    """What every DAG file imports; `airflow.sdk` loads its names when they are asked for."""
    from airflow.sdk import DAG, Asset, BaseOperator, Param, TaskGroup

    assert DAG, (Asset, BaseOperator, Param, TaskGroup)


def bare(contestant: str, manifest: Path, count: int) -> dict[str, Any]:
    import_airflow()
    return {"peak": peak()}


def build(contestant: str, manifest: Path, count: int) -> dict[str, Any]:
    import_airflow()
    seconds, dag = timed(BUILDERS[contestant](manifest))
    return {"cpu": seconds, "peak": peak(), "tasks": len(dag.task_dict)}


def groups(contestant: str, manifest: Path, count: int) -> dict[str, Any]:
    import_airflow()
    seconds, dag = timed(GROUPS[contestant](manifest, count))
    return {"cpu": seconds, "peak": peak(), "tasks": len(dag.task_dict)}


def imports(contestant: str, manifest: Path, count: int) -> dict[str, Any]:
    import_airflow()

    def work() -> None:
        from airflow_dataops.dag_factory import dbt_dag, load_dags  # noqa: F401

    return {"cpu": timed(work)[0]}


def start(contestant: str, manifest: Path, count: int) -> dict[str, Any]:
    """What a worker does with a DAG file before it runs a task of it.

    Airflow's task runner is loaded before, and what Airflow loads for the first DAG of a
    process, whatever is in it; importing the contestant counts.
    """
    import airflow.sdk.execution_time.task_runner  # noqa: F401
    from airflow.sdk import DAG

    import_airflow()
    DAG("empty", schedule=None)
    task_id = os.environ["_AIRFLOW_PARSING_CONTEXT_TASK_ID"]

    def work() -> Any:
        return BUILDERS[contestant](manifest)().get_task(task_id)

    seconds, task = timed(work)
    assert task.task_id == task_id
    return {"cpu": seconds}


def serialized(contestant: str, manifest: Path, count: int) -> dict[str, Any]:
    """Bytes a task, ours and those of the least operators with the same ids and edges."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import DagSerialization

    dag = BUILDERS[contestant](manifest)()
    with DAG(dag.dag_id) as least:
        for task in dag.tasks:
            operator = EmptyOperator(task_id=task.task_id)
            operator.upstream_task_ids |= task.upstream_task_ids
            operator.downstream_task_ids |= task.downstream_task_ids
    each = [len(json.dumps(DagSerialization.to_dict(d))) / len(dag.tasks) for d in (dag, least)]
    return {"bytes": each[0], "least": each[1], "beyond": each[0] - each[1]}


def versions(contestant: str, manifest: Path, count: int) -> dict[str, Any]:
    from benchmarks.versions import count_versions

    return count_versions(contestant, manifest, count)


def main() -> None:
    measure, contestant, manifest, *count = sys.argv[1:]
    found = globals()[measure](contestant, Path(manifest), int(count[0]) if count else 0)
    print("RESULT " + json.dumps(found))


if __name__ == "__main__":
    main()
