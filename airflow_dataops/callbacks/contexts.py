"""What Airflow or an SLA's detection hands to a callback -> an alert."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.alerts.alert import Alert
from airflow_dataops.core.sla.misses import Tier, hashed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def alert_of_context(context: Mapping[str, Any], tier: Tier | None = None) -> Alert:
    """Make an alert of a callback's context.

    It may be that of `on_sla_miss` (`SlaMissContext`), of a task's or a DAG's
    `on_failure_callback`, or of a deadline.
    """
    if "sla" in context and "due" in context:
        return _of_miss(context, tier)
    if "deadline" in context:
        return _of_deadline(context, tier)
    ti = context.get("ti") or context.get("task_instance")
    # A DAG's callback is given its last task as well, and says why it is called.
    if ti is None or (context.get("reason") and "exception" not in context):
        return _of_run(context, tier)
    return _of_task(context, ti, tier)


def _of_miss(context: Mapping[str, Any], tier: Tier | None) -> Alert:
    late = "will probably be late" if context.get("warning") else "is late"
    since = context.get("since")
    state = context.get("state")
    facts = {
        "Due": context["due"],
        "State": f"{state} since {since}" if state and since else state,
        "Waits for": context.get("upstream"),
        "Why": context.get("reason"),
        "Run": context.get("run_id"),
        "Owner": context.get("owner"),
    }
    blocker = (context.get("dag_id"), context.get("run_id"), context.get("upstream"))
    key = context.get("key") or hashed(context["sla"], context.get("subject"), context["due"])
    return Alert(
        key=str(key),
        title=f"{context.get('subject')} {late}: {context['sla']}, due {context['due']}",
        at=_now(),
        cause=":".join(map(str, blocker)) if context.get("upstream") else str(key),
        kind="sla_warning" if context.get("warning") else "sla_miss",
        tier=tier or Tier(context.get("tier") or Tier.IMPORTANT),
        owner=context.get("owner"),
        tags=tuple(context.get("tags") or ()),
        subject=str(context.get("subject") or ""),
        dag_id=context.get("dag_id"),
        run_id=context.get("run_id"),
        facts=_texts(facts),
        links=dict(context.get("links") or {}),
    )


def _of_deadline(context: Mapping[str, Any], tier: Tier | None) -> Alert:
    run, deadline = context.get("dag_run") or {}, context["deadline"]
    dag_id, run_id = _part(run, "dag_id"), _part(run, "dag_run_id") or _part(run, "run_id")
    due = _part(deadline, "deadline_time")
    return Alert(
        key=hashed("deadline", dag_id, run_id, _part(deadline, "id") or due),
        title=f"{dag_id} is late: due {due}",
        at=_now(),
        kind="sla_miss",
        tier=tier or Tier.IMPORTANT,
        subject=str(dag_id or ""),
        dag_id=dag_id,
        run_id=run_id,
        facts=_texts({"Due": due, "Run": run_id, "State": _part(run, "state")}),
    )


def _of_task(context: Mapping[str, Any], ti: Any, tier: Tier | None) -> Alert:
    mapped = f"[{ti.map_index}]" if getattr(ti, "map_index", -1) >= 0 else ""
    subject = f"{ti.dag_id}.{ti.task_id}{mapped}"
    error = context.get("exception")
    task = context.get("task") or getattr(ti, "task", None)
    facts = {
        "Why": f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else error,
        "Run": ti.run_id,
        "Try": getattr(ti, "try_number", None),
        "Started": getattr(ti, "start_date", None),
        "Owner": getattr(task, "owner", None),
    }
    return Alert(
        key=hashed("task_failure", ti.dag_id, ti.run_id, subject, getattr(ti, "try_number", 1)),
        title=f"{subject} failed",
        at=_now(),
        kind="task_failure",
        tier=tier or Tier.IMPORTANT,
        owner=getattr(task, "owner", None),
        tags=_tags(context.get("dag")),
        subject=subject,
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        facts=_texts(facts),
        links=_texts({"Log": getattr(ti, "log_url", None)}),
    )


def _of_run(context: Mapping[str, Any], tier: Tier | None) -> Alert:
    dag = context.get("dag")
    run = context.get("dag_run")
    dag_id = str(getattr(dag, "dag_id", None) or _part(run, "dag_id") or "")
    run_id = context.get("run_id") or _part(run, "run_id")
    return Alert(
        key=hashed("run_failure", dag_id, run_id, _part(run, "clear_number")),
        title=f"{dag_id} failed",
        at=_now(),
        kind="run_failure",
        tier=tier or Tier.IMPORTANT,
        owner=getattr(dag, "owner", None),
        tags=_tags(dag),
        subject=dag_id,
        dag_id=dag_id,
        run_id=run_id,
        facts=_texts({"Run": run_id, "Why": context.get("reason")}),
    )


def _part(holder: Any, name: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(name)
    return getattr(holder, name, None)


def _tags(dag: Any) -> tuple[str, ...]:
    found: Iterable[Any] = getattr(dag, "tags", None) or ()
    return tuple(sorted(map(str, found)))


def _texts(facts: Mapping[str, Any]) -> dict[str, str]:
    return {label: str(value)[:1000] for label, value in facts.items() if value not in (None, "")}


def _now() -> datetime:
    return datetime.now(UTC)
