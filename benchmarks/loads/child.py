"""Runs one way in a process of its own; prints seconds, CPU and the peak of memory as JSON."""

from __future__ import annotations

import gc
import json
import sys
import time

from benchmarks.loads.usage import cpu_seconds, peak_megabytes


def main() -> None:
    from benchmarks.loads.by_hand import BY_HAND
    from benchmarks.loads.ours import OURS

    case, _, way = sys.argv[1].partition(": ")
    run = OURS[case] if way == "ours" else BY_HAND[case, way]
    gc.collect()  # what the imports left would be collected within whatever comes next
    before, began = cpu_seconds(), time.perf_counter()
    run()
    seconds = time.perf_counter() - began
    figures = {"seconds": seconds, "cpu": cpu_seconds() - before, "megabytes": peak_megabytes()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
