"""Measure, and write docs/benchmarks.md and docs/benchmarks.svg.

python -m benchmarks [--sizes 100,1000,5000,20000] [--quick] [--output FOLDER]
python -m benchmarks --parsing --kinds real --sizes 5000 --repeats 3 --slow-repeats 1
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
        "--parsing", action="store_true", help="parsing and starts alone, nothing written"
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
    if arguments.parsing:
        # The runner says each figure as it comes.
        Runner(settings, CACHE).only_parsing()
        return
    kept = CACHE / "results.json"
    if not arguments.render:
        kept.write_text(json.dumps(Runner(settings, CACHE).all()))
    text = report.text(json.loads(kept.read_text()))
    print(text)
    if not arguments.quick:
        (arguments.output / "benchmarks.md").write_text(text)
        svg = plot.svg(json.loads(kept.read_text()))
        (arguments.output / "benchmarks.svg").write_text(svg)


if __name__ == "__main__":
    main()
