"""The SLA file: which SLAs DAGs, tasks, groups and assets have, by pattern."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec.structs import replace

from airflow_dataops.core.assets import label
from airflow_dataops.core.decoding import Mistake, MistakesError, convert, read_yaml
from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.misses import Escalation, SubjectKind, Tier
from airflow_dataops.core.sla.policies import (
    DEFAULTS,
    Calendar,
    CallbackRef,
    Percent,
    Sla,
    TierDefaults,
    Weekday,
)
from airflow_dataops.core.sla.spec import (
    About,
    Callback,
    Days,
    Defaults,
    Path,
    SlaSpec,
    Text,
    Zone,
    days_of,
    refs_of,
    sla_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Patterns = Annotated[str | tuple[Text, ...], msgspec.Meta()]


class CalendarDays(Struct, frozen=True, forbid_unknown_fields=True):
    """The days of a calendar: weekdays, without holidays."""

    days: Days = "all"
    holidays: tuple[date, ...] = ()


class TierSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What SLAs of a tier have unless they say otherwise; see `Sla`. 0 for no warnings."""

    warn_at: Percent | None = None
    escalate: tuple[Escalation, ...] = ()
    on_sla_miss: tuple[Path | Callback, ...] = ()


class Rule(SlaSpec, frozen=True, forbid_unknown_fields=True):
    """An SLA with what it is about: a DAG, or its tasks or groups, or assets.

    Names may have `*` and `?`; a list means any of them.

    Attributes:
        dag: of all DAGs where there is none.
    """

    dag: Patterns | None = None
    task: Patterns | None = None
    group: Patterns | None = None
    asset: Patterns | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [name for name in ("task", "group", "asset") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"It is about {' and '.join(given)}; make two SLAs of it.")
        if self.asset is not None and self.dag is not None:
            raise ValueError("An asset is no DAG's; leave out dag.")
        if not given and self.dag is None:
            raise ValueError("Say what it is about: dag, task, group or asset.")

    @property
    def kind(self) -> SubjectKind:
        """What it is about."""
        if self.task is not None:
            return SubjectKind.TASK
        if self.group is not None:
            return SubjectKind.TASK_GROUP
        return SubjectKind.DAG if self.asset is None else SubjectKind.ASSET


class SlaFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file.

    Attributes:
        timezone: IANA name; of times of the day that name no other.
        calendars: by name.
        tiers: what the SLAs of a tier have in common.
    """

    timezone: Zone = "UTC"
    calendars: dict[str, CalendarDays] = {}
    tiers: dict[Tier, TierSettings] = {}
    slas: tuple[Rule, ...] = ()


class Rules:
    """What a file says, for DAGs as they come."""

    def __init__(self, file: SlaFile) -> None:
        self._defaults = Defaults(
            timezone=file.timezone,
            calendars={name: _calendar(given) for name, given in file.calendars.items()},
            tiers={tier: _tier(tier, given) for tier, given in file.tiers.items()},
        )
        self._rules = file.slas

    def __len__(self) -> int:
        return len(self._rules)

    def takes(self, dag_id: str) -> bool:
        """Tell whether the file says anything of a DAG."""
        return any(_is_of(rule, dag_id) for rule in self._rules)

    @property
    def has_assets(self) -> bool:
        """Whether the file says anything of assets."""
        return any(rule.asset is not None for rule in self._rules)

    def of_dag(
        self, dag_id: str, task_ids: Iterable[str], groups: Mapping[str, tuple[str, ...]]
    ) -> list[Sla]:
        """Return the SLAs of a DAG, its tasks and its groups.

        Args:
            groups: by id the `members` of a group, see `Sla`; see also `groups_of`.
        """
        tasks, found = sorted(task_ids), list[Sla]()
        for rule in self._rules:
            if not _is_of(rule, dag_id):
                continue
            about = About(kind=rule.kind, dag_id=dag_id)
            if rule.kind is SubjectKind.DAG:
                found.append(self._sla(rule, about))
            for id_ in tasks if rule.task is not None else ():
                if _like(id_, rule.task):
                    found.append(self._sla(rule, replace(about, task_id=id_)))
            for id_ in sorted(groups) if rule.group is not None else ():
                if _like(id_, rule.group):
                    group = replace(about, task_id=id_, members=groups[id_])
                    found.append(self._sla(rule, group))
        return found

    def of_assets(self, names: Iterable[str]) -> list[Sla]:
        """Return the SLAs of assets."""
        rules = [rule for rule in self._rules if rule.asset is not None]
        return [
            self._sla(rule, About(kind=SubjectKind.ASSET, subject=label(name)))
            for name in sorted(names if rules else ())
            for rule in rules
            if _like(name, rule.asset) or _like(label(name), rule.asset)
        ]

    def idle(self, dag_id: str, found: Iterable[Sla]) -> list[str]:
        """Name the rules that name this very DAG, and tasks or groups that it has not."""
        names = {(sla.kind, sla.name) for sla in found}
        idle = []
        for rule in self._rules:
            is_named = dag_id in ((rule.dag,) if isinstance(rule.dag, str) else rule.dag or ())
            about = About(kind=rule.kind, dag_id=dag_id)
            if is_named and (rule.kind, self._sla(rule, about).name) not in names:
                idle.append(f"{rule.kind} {rule.task or rule.group}")
        return idle

    def _sla(self, rule: Rule, about: About) -> Sla:
        return sla_of(rule, about, self._defaults)

    def mistakes(self) -> list[Mistake]:
        """Return what is wrong with rules that can be read."""
        found = []
        for number, rule in enumerate(self._rules):
            try:
                self._sla(rule, About(kind=rule.kind))
            except ValueError as error:
                found.append(Mistake(f"$.slas[{number}]", str(error)))
        return found


def read_rules(text: str | bytes, source: str) -> Rules:
    """Read an SLA file.

    Args:
        source: its name, for the message.

    Raises:
        ConfigError: it is not YAML, or is wrong; tells all mistakes at once, each with its path.
    """
    data = read_yaml(text, source)
    rules = Rules(convert({} if data is None else data, SlaFile, source=source))
    if mistakes := rules.mistakes():
        raise MistakesError(source, tuple(mistakes))
    return rules


def groups_of(task_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the groups that tasks name in their ids, where nothing else is known of groups."""
    found: dict[str, tuple[str, ...]] = {}
    for id_ in task_ids:
        while "." in id_:
            id_ = id_.rpartition(".")[0]
            found[id_] = ()
    return found


def _calendar(given: CalendarDays) -> Calendar:
    days: tuple[Weekday, ...] = days_of(given.days)
    return Calendar(days=days, holidays=tuple(sorted(set(given.holidays))))


def _tier(tier: Tier, given: TierSettings) -> TierDefaults:
    default = DEFAULTS[tier]
    on_miss: tuple[CallbackRef, ...] = refs_of(given.on_sla_miss)
    warn_at = default.warn_at if given.warn_at is None else given.warn_at
    return replace(default, warn_at=warn_at, escalate=given.escalate, on_miss=on_miss)


def _is_of(rule: Rule, dag_id: str) -> bool:
    return rule.asset is None and (rule.dag is None or _like(dag_id, rule.dag))


def _like(name: str, patterns: Any) -> bool:
    wanted = (patterns,) if isinstance(patterns, str) else patterns
    return any(fnmatchcase(name, pattern) for pattern in wanted)
