"""Measure, and write docs/benchmarks.md and docs/benchmarks.svg.

python -m benchmarks [--sizes 100,1000,5000,20000] [--quick] [--output FOLDER]
python -m benchmarks --parsing --sizes 5000,20000 --repeats 5 --slow-repeats 2

The second measures parsing and starts alone, in some ten minutes; of docs/benchmarks.md it writes
anew what it measured, and leaves the other figures there with their date.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks import plot, report
from benchmarks.manifests import KINDS
from benchmarks.run import Runner, Settings

DOCS = Path(__file__).parents[1] / "docs"
CACHE = Path(__file__).parents[1] / ".cache" / "benchmarks"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", default="100,1000,5000,20000", help="models, by comma")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--slow-repeats", type=int, default=3, help="of what takes more than ten seconds"
    )
    parser.add_argument(
        "--kinds", default=",".join(KINDS), help="manifests, by comma: without metadata, with"
    )
    parser.add_argument(
        "--parsing", action="store_true", help="parsing and starts alone; other figures stay"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, once, nothing written")
    parser.add_argument("--output", type=Path, default=DOCS)
    parser.add_argument("--render", action="store_true", help="write the last results again")
    arguments = parser.parse_args()
    settings = Settings(
        sizes=tuple(int(size) for size in arguments.sizes.split(",")),
        repeats=arguments.repeats,
        slow_repeats=arguments.slow_repeats,
        kinds=tuple(arguments.kinds.split(",")),
    )
    if arguments.quick:
        settings = Settings.quick()
    CACHE.mkdir(parents=True, exist_ok=True)
    kept = CACHE / ("parsing.json" if arguments.parsing else "results.json")
    if not arguments.render:
        runner = Runner(settings, CACHE)
        kept.write_text(json.dumps(runner.only_parsing() if arguments.parsing else runner.all()))
    results = json.loads(kept.read_text())
    page = arguments.output / "benchmarks.md"
    earlier = page.read_text() if arguments.parsing and page.exists() else ""
    text = report.text(results, earlier)
    print(text)
    if arguments.quick:
        return
    page.write_text(text)
    if not arguments.parsing:
        (arguments.output / "benchmarks.svg").write_text(plot.svg(results))


if __name__ == "__main__":
    main()
