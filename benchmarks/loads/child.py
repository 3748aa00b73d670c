"""Runs one way in a process of its own; prints seconds and the peak of memory as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time


def main() -> None:
    from benchmarks.loads.ways import WAYS

    way = WAYS[sys.argv[1]]
    if " ours" in sys.argv[1]:
        # What a task's process has loaded before its operator runs.
        import airflow_dataops.core.loads.run
        import airflow_dataops.hooks.connection_query
        import airflow_dataops.hooks.duckdb
        import airflow_dataops.hooks.sql_runner  # noqa: F401
    began = time.perf_counter()
    way()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": peak}))


if __name__ == "__main__":
    main()
