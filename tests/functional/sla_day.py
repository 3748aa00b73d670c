"""A day of SLAs within minutes: its DAGs, who takes its alerts, and an oracle of its misses.

The oracle knows nothing of the package: it reads Airflow's database and reckons anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]
SUBJECTS = {
    "quick": "task",
    "slow": "task",
    "failing": "task",
    "after_failing": "task",
    "killed": "task",
    "retried": "task",
    "skipping": "task",
    "stuck": "task",
    "deferred": "task",
    "mapped": "task",
    "mapped_quick": "task",
    "g": "task_group",
    "h": "task_group",
    "": "dag",
}
KINDS = ("by_time", "after_interval", "after_run_start", "after_task_start")
SECONDS = 55
"""How long what is slow sleeps."""
EARLY, LATE = 28, 120
"""Seconds after the start of a run: what is slow misses the first, and meets the second."""

RECEIVER = """
import json, os, time


def _write(kind, data):
    line = json.dumps({{"kind": kind, "at": time.time(), **data}}) + "\\n"
    out = os.open({file!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(out, line.encode())
    os.close(out)


class Receiver:
    def send(self, message):
        _write(str(message.action), {{"incident": message.incident, "title": message.title}})


def called(context):
    _write("called", {{"key": context["key"], "state": context["state"]}})


def broken(context):
    raise ValueError("on purpose")
"""

SOURCE = """
import json, os, signal, time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import DAG, BaseOperator, TaskGroup, task
from airflow.sdk.exceptions import AirflowSkipException
from airflow_dataops.core.sla.declared import slas_from_json
from airflow_dataops.slas.dag_slas import put_slas

PLAN = json.loads({plan!r})
NOTES = Path({notes!r})


class Deferred(BaseOperator):
    def execute(self, context):
        moment = datetime.now(timezone.utc) + timedelta(seconds={seconds})
        self.defer(trigger=DateTimeTrigger(moment=moment), method_name="resume")

    def resume(self, context, event=None):
        return None


@task
def sleep(seconds=0):
    time.sleep(seconds)


def fates():
    EmptyOperator(task_id="quick")
    sleep.override(task_id="slow")({seconds})

    @task
    def failing():
        raise ValueError("on purpose")

    @task
    def killed():
        os.kill(os.getpid(), signal.SIGKILL)

    @task(retries=1, retry_delay=timedelta(seconds=1))
    def retried(ti=None):
        time.sleep({seconds} / 4)
        if ti.try_number == 1:
            raise ValueError("not yet")

    @task
    def skipping():
        raise AirflowSkipException("on purpose")

    failing() >> EmptyOperator(task_id="after_failing")
    killed()
    retried()
    skipping()
    sleep.override(task_id="stuck", pool="closed")()
    Deferred(task_id="deferred")
    sleep.override(task_id="mapped").expand(seconds=[0, {seconds}])
    sleep.override(task_id="mapped_quick").expand(seconds=[0])
    with TaskGroup("g"):
        EmptyOperator(task_id="one")
        sleep.override(task_id="two")({seconds})
    with TaskGroup("h"):
        EmptyOperator(task_id="one") >> EmptyOperator(task_id="two")


def small():
    sleep.override(task_id="slow")(25)


def cleared():
    @task
    def first_bad(run_id=None):
        note = NOTES / ("cleared_" + run_id.replace(":", "_"))
        times = len(note.read_text()) if note.exists() else 0
        note.write_text("x" * (times + 1))
        if times == 0:
            raise ValueError("the first time")
        time.sleep(25 if times == 1 else 0)

    first_bad() >> EmptyOperator(task_id="behind")


def hogging():
    @task
    def slow(run_id=None):
        note = NOTES / "hogged"
        if not note.exists():
            note.touch()
            time.sleep(85)

    slow()


for dag_id, plan in PLAN.items():
    by_hand = {{"default_args": {{"slas": plan["slas"]}}, "tags": ["sla"]}}
    options = {{}} if plan["deadlines"] else by_hand
    dag = DAG(
        dag_id,
        schedule=plan["schedule"],
        start_date=datetime.fromisoformat(plan["start"]),
        end_date=datetime.fromisoformat(plan["end"]) if plan.get("end") else None,
        catchup=plan.get("catchup", False),
        max_active_runs=plan.get("max_active_runs", 4),
        is_paused_upon_creation=plan.get("paused", False),
        **options,
    )
    with dag:
        {{"fates": fates, "small": small, "cleared": cleared, "hogging": hogging}}[plan["tasks"]]()
    if plan["deadlines"]:
        put_slas(dag, slas_from_json(plan["slas"]))
    globals()[dag_id] = dag
"""

MONITOR = """
from airflow_dataops.dag_factory.monitor import sla_monitor_dag

# An airflow dag.
dag = sla_monitor_dag(poll_seconds={poll}, is_paused_upon_creation={paused})
"""


def due(kind: str, start: datetime, seconds: float) -> dict[str, Any]:
    """A due time of a kind, so many seconds after the start of a run."""
    if kind != "by_time":
        return {"type": kind, "minutes": seconds / 60}
    # In Tokyo, to be different from UTC.
    at = (start + timedelta(seconds=seconds)).astimezone(UTC) + timedelta(hours=9)
    return {"type": kind, "at": f"{at:%H:%M:%S}", "timezone": "Asia/Tokyo"}


def sla(name: str, kind: str, task_id: str, due_: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An SLA as it is written in a DAG."""
    calls = [{"path": "day_receiver.broken"}, {"path": "day_receiver.called"}]
    about = {"task_id": task_id} if task_id else {}
    return {"name": name, "kind": kind, "due": due_, "on_miss": calls, **about, **more}


def of_all(start: datetime, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """Two SLAs of each kind for each subject; each subject has its own due times."""
    found = []
    for number, (task_id, about) in enumerate(SUBJECTS.items()):
        for kind in kinds:
            if task_id == "" and kind == "after_task_start":
                continue
            for label, seconds in (("early", EARLY), ("late", LATE)):
                when = due(kind, start, seconds + number / 2)
                found.append(sla(f"{kind} {label}", about, task_id, when))
    return found


@dataclass(frozen=True)
class Missed:
    """Attributes: `solved` is whether it was done in the end."""

    dag_id: str
    run_id: str
    task_id: str
    sla: str
    due: float
    solved: bool
    cleared: int = 0

    @property
    def case(self) -> tuple[str, str, str, str, int]:
        """Which SLA of which subject, in which clearing."""
        return self.dag_id, self.run_id, self.task_id, self.sla, self.cleared


def oracle(uri: str, plan: dict[str, Any], until: float) -> tuple[set[Missed], int]:
    """Reckon from Airflow's database what was missed until a time, and how many SLAs counted.

    Runs that were cleared are told as they are now.
    """
    missed, cases = set(), 0
    with psycopg.connect(uri, row_factory=dict_row) as database:
        for dag_id, its in plan.items():
            query = "select * from dag_run where dag_id = %s"
            for run in database.execute(query, (dag_id,)).fetchall():
                for each in its["slas"]:
                    cases += 1
                    found = _one(database, run, each, until)
                    missed |= {found} if found else set()
    return missed, cases


def _one(
    database: psycopg.Connection[Row], run: Row, each: dict[str, Any], until: float
) -> Missed | None:
    types = each.get("run_types", ["scheduled", "asset_triggered"])
    if run["run_type"] not in types:
        return None
    task_id = each.get("task_id", "")
    rows = _instances(database, run, task_id, each["kind"])
    if task_id and all(row["state"] in ("skipped", "removed") for row in rows):
        return None
    starts = [_time(row["start_date"]) for row in rows if row["state"] != "upstream_failed"]
    starts += _earlier_starts(database, run, task_id)
    when = _due(each["due"], run, [at for at in starts if at])
    if when is None or when >= until:
        return None
    if run["clear_number"] and when <= (_time(run["queued_at"]) or 0):
        return None
    if task_id:
        done = all(row["state"] in ("success", "skipped") for row in rows)
        end = max((_time(row["end_date"]) or 0 for row in rows), default=0)
    else:
        done, end = run["state"] == "success", _time(run["end_date"]) or 0
    if done and end <= when:
        return None
    about = (run["dag_id"], run["run_id"], task_id, each["name"])
    return Missed(*about, round(when, 2), done, run["clear_number"])


def _instances(database: psycopg.Connection[Row], run: Row, task_id: str, kind: str) -> list[Row]:
    query = "select * from task_instance where dag_id = %s and run_id = %s and task_id like %s"
    name = task_id.replace("_", r"\_") + (".%" if kind == "task_group" else "")
    return database.execute(query, (run["dag_id"], run["run_id"], name)).fetchall()


def _earlier_starts(
    database: psycopg.Connection[Row], run: Row, task_id: str
) -> list[float | None]:
    query = (
        "select start_date from task_instance_history where dag_id = %s and run_id = %s and "
        "task_id = %s and start_date > %s"
    )
    about = (run["dag_id"], run["run_id"], task_id, run["queued_at"])
    return [_time(row["start_date"]) for row in database.execute(query, about)]


def _due(when: dict[str, Any], run: Row, starts: list[float]) -> float | None:
    complete = _time(run["data_interval_end"]) or _time(run["run_after"]) or 0
    if when["type"] == "by_time":
        hours, minutes, seconds = map(int, when["at"].split(":"))
        day = datetime.fromtimestamp(complete, UTC) + timedelta(hours=9)
        moment = day.replace(hour=hours, minute=minutes, second=seconds, microsecond=0)
        if moment < day:
            moment += timedelta(days=1)
        holidays = when.get("calendar", {}).get("holidays", [])
        if moment.date().isoformat() in holidays:
            return None
        return (moment - timedelta(hours=9)).timestamp()
    base = {
        "after_interval": complete,
        "after_run_start": _time(run["start_date"]),
        "after_task_start": min(starts, default=None),
    }[when["type"]]
    return None if base is None else base + when["minutes"] * 60


def _time(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def lines(file: Path, kind: str) -> list[dict[str, Any]]:
    """What the receiver or the callback wrote."""
    if not file.exists():
        return []
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return [each for each in found if each["kind"] == kind]


def told(ledger: str) -> list[Row]:
    """All misses of the ledger, without warnings, with the incident that tells of each."""
    query = (
        "select m.*, a.incident from dataops_misses m left join dataops_alerts a on a.key = m.key "
        "where not m.warning"
    )
    with psycopg.connect(ledger, row_factory=dict_row) as database:
        if database.execute("select to_regclass('dataops_misses') as t").fetchone() == {"t": None}:
            return []
        return database.execute(query).fetchall()
