"""Plans are there for any orchestrator: `planning` works where Airflow cannot be imported."""

import subprocess
import sys
from pathlib import Path

MANIFEST = Path(__file__).parents[3] / "dags" / "manifests" / "shop" / "manifest.json"
PLANS = """
import sys
from pathlib import Path

sys.modules["airflow"] = None  # `import airflow` raises now
from airflow_dataops.planning.manifest import plan_manifest, plan_project

manifest = Path(sys.argv[1])
arguments = {"select": "tag:x+ staging+", "on_empty": "warn", "operator_args": {"retries": 1}}
whole = plan_manifest(manifest, "warehouse", arguments)
parts = plan_project(manifest, "warehouse", arguments, {"split_by": "layer"})
of_parts = [id_ for at in range(len(parts.parts)) for id_ in parts.planned(at).plan.tasks()]
print(whole.plan.head.name, len(whole.plan.tasks()), len(parts.parts), len(of_parts))
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("airflow", "cosmos")))
"""


def test_a_manifest_and_its_parts_are_planned_without_airflow(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLANS, str(MANIFEST)],
        capture_output=True,
        text=True,
        check=False,
        env={"AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    planned, modules = done.stdout.splitlines()
    name, tasks, parts, of_parts = planned.split()
    assert (name, int(tasks) > 5, int(parts) > 1) == ("shop", True, True)
    assert int(of_parts) >= int(tasks)
    assert modules == "['airflow']"
