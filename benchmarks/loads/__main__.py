"""Measure loads and transfers; write docs/benchmarks-loads.md.

python -m benchmarks.loads [--size full] [--only CASE ...] [--repeats 6] [--no-dlt] [--render]

A case that was measured is kept: a run that was ended goes on with the next one. When all are
there, the next run begins anew. `--only` measures again whatever is there. Only `--size full`
writes the page.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.loads import report
from benchmarks.loads.bench import Bench, WayFailedError
from benchmarks.loads.cases import CASES, Size
from benchmarks.loads.dlt_environment import dlt_python
from benchmarks.loads.results import Results

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loads", description=__doc__)
    parser.add_argument("--size", type=Size, choices=list(Size), default=Size.FULL)
    parser.add_argument("--only", action="append", choices=list(CASES), help="may be repeated")
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--no-dlt", action="store_true")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the page")
    arguments = parser.parse_args()
    results, complete = Results(arguments.size), True
    if not arguments.render:
        dlt = None if arguments.no_dlt else dlt_python()
        with Bench(arguments.size, dlt) as bench:
            cases = arguments.only or results.missing()
            complete = _measure(bench, results, cases, arguments.repeats)
    text = report.text(arguments.size, results.read())
    if arguments.size is Size.FULL:
        (DOCS / "benchmarks-loads.md").write_text(text)
    else:
        print(text)
    if not complete:
        sys.exit("Some cases failed, and are not on the page; the next run begins with them.")


def _measure(bench: Bench, results: Results, cases: Sequence[str], repeats: int) -> bool:
    failed = False
    for case in cases:
        runs: dict[str, list[dict[str, Any]]] = {}
        try:
            for way, run in bench.run(case, repeats):
                runs.setdefault(way, []).append(run)
                print(f"{case}: {way}: {run['seconds']:.2f} s", file=sys.stderr, flush=True)
        except WayFailedError as error:
            print(error, file=sys.stderr, flush=True)
            failed = True
            continue
        results.keep(case, runs)
        print(report.lines(case, runs), flush=True)
    return not failed


if __name__ == "__main__":
    main()
