"""Measure loads and transfers.

python -m benchmarks.loads [--scale 1] [--repeats 3] [--only WORD] [--dlt PYTHON] [--quick]

At scale 1: 1M rows into 10M, a transfer of 5M, 1M change events on 10M rows. `--dlt` names the
Python of an environment that has dlt.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.loads import report
from benchmarks.loads.bench import Bench

DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loads", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="ways whose names begin with this")
    parser.add_argument("--dlt", type=Path, help="a Python that has dlt 1.31")
    parser.add_argument("--quick", action="store_true", help="a hundredth, once")
    parser.add_argument("--json", type=Path, help="where to keep the results")
    arguments = parser.parse_args()
    scale, repeats = arguments.scale, arguments.repeats
    if arguments.quick:
        scale, repeats = 0.01, 1
    with Bench(scale, dlt=arguments.dlt) as bench:
        found = bench.all(repeats, arguments.only)
    if arguments.json:
        arguments.json.write_text(json.dumps(found))
    print(report.table(found, scale, repeats))


if __name__ == "__main__":
    main()
