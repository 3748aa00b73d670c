"""The same project as a DAG, made in three ways: by us, by hand, by Cosmos.

Each function is called with everything imported and prepared: what it does is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.sdk import DAG

    Build = Callable[[], DAG]

CONN_ID = "warehouse"
DAG_ID = "bench"


def ours(manifest: Path) -> Build:
    from airflow_dataops import dbt_dag

    return lambda: dbt_dag(manifest=manifest, conn_id=CONN_ID, dag_id=DAG_ID)


def our_groups(manifest: Path, count: int) -> Build:
    from airflow.sdk import DAG

    from airflow_dataops import dbt_task_group

    def build() -> DAG:
        with DAG(DAG_ID) as dag:
            for number in range(count):
                dbt_task_group(
                    group_id=f"group_{number}",
                    manifest=manifest,
                    conn_id=CONN_ID,
                    select=f"tag:slice_{number}",
                )
        return dag

    return build


def by_hand(manifest: Path) -> Build:
    """Tasks and edges as one would write them; what they are is known before the clock runs."""
    from airflow.sdk import DAG, TaskGroup

    from airflow_dataops import DbtBuildOperator, DbtTestOperator
    from airflow_dataops.core.plan import ArgumentLayers, arguments_of
    from airflow_dataops.dag_factory.dbt import DEFAULT_ARGS
    from airflow_dataops.operators.assets import table_asset
    from airflow_dataops.planning.manifest import plan_manifest

    plan = plan_manifest(manifest, CONN_ID, {}).plan
    planned = plan.tasks()
    given = [arguments_of(profile, ArgumentLayers()) for profile in plan.profiles()]
    operators: dict[str, Any] = {"build": DbtBuildOperator, "test": DbtTestOperator}

    def build() -> DAG:
        groups: dict[str, TaskGroup] = {}
        tasks = {}
        with DAG(DAG_ID, default_args=DEFAULT_ARGS, schedule=None) as dag:
            for task in planned.values():
                (name,) = task.group
                if name not in groups:
                    groups[name] = TaskGroup(name, prefix_group_id=False)
                tasks[task.id] = operators[task.kind](
                    task_id=task.id,
                    task_group=groups[name],
                    manifest=str(manifest),
                    nodes=task.nodes,
                    conn_id=CONN_ID,
                    fingerprint=task.fingerprint,
                    doc_md=task.description or None,
                    outlets=[table_asset(task.relation, CONN_ID, "duckdb")]
                    if task.relation
                    else [],
                    **given[task.profile],
                )
            for task in planned.values():
                for upstream in task.upstream:
                    tasks[upstream] >> tasks[task.id]
        return dag

    return build


def cosmos(manifest: Path) -> Build:
    from cosmos import DbtDag

    configs = _cosmos_configs(manifest)
    return lambda: DbtDag(dag_id=DAG_ID, schedule=None, **configs(None))


def cosmos_groups(manifest: Path, count: int) -> Build:
    from airflow.sdk import DAG
    from cosmos import DbtTaskGroup

    configs = _cosmos_configs(manifest)

    def build() -> DAG:
        with DAG(DAG_ID) as dag:
            for number in range(count):
                DbtTaskGroup(group_id=f"group_{number}", **configs([f"tag:slice_{number}"]))
        return dag

    return build


def _cosmos_configs(manifest: Path) -> Callable[[list[str] | None], dict[str, Any]]:
    """As its documentation says for a manifest; nothing is switched off."""
    from cosmos import ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
    from cosmos.constants import LoadMode, TestBehavior

    profiles = manifest.with_name("profiles.yml")
    profiles.write_text(
        "bench:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: bench.duckdb}\n"
    )
    manifest.with_name("dbt_project.yml").write_text("name: bench\nprofile: bench\n")
    manifest.with_name("models").mkdir(exist_ok=True)

    def configs(select: list[str] | None) -> dict[str, Any]:
        return {
            "project_config": ProjectConfig(manifest_path=manifest, project_name="bench"),
            "profile_config": ProfileConfig(
                profile_name="bench", target_name="dev", profiles_yml_filepath=profiles
            ),
            "execution_config": ExecutionConfig(dbt_project_path=manifest.parent),
            "render_config": RenderConfig(
                load_method=LoadMode.DBT_MANIFEST,
                test_behavior=TestBehavior.AFTER_EACH,
                select=select or [],
            ),
        }

    return configs
