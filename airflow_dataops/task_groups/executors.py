"""Executors that tasks ask for: told where they are written, and not by the DAG as a whole."""

from __future__ import annotations

from airflow.sdk import get_parsing_context


def check_executor(name: str | None) -> None:
    """Refuse an executor that this Airflow does not have.

    Of teams Airflow knows more than a plan: their executors are left to its own check. So is what
    a worker builds, which need not know them.

    Raises:
        ValueError: there is none of that name; the text lists those of the configuration.
    """
    if not name or get_parsing_context().dag_id is not None:
        return
    from airflow.sdk.configuration import conf

    if conf.getboolean("core", "multi_team", fallback=False):
        return
    # Only where a task names one.
    from airflow.exceptions import UnknownExecutorException
    from airflow.executors.executor_loader import ExecutorLoader

    try:
        ExecutorLoader.lookup_executor_name_by_str(name)
    except UnknownExecutorException:
        raise ValueError(
            f"executor: there is no {name!r}; [core] executor of Airflow's configuration has "
            f"{conf.get('core', 'executor')}"
        ) from None
