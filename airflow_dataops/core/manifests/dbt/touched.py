"""What a node's code touches while dbt renders it, and why it then cannot run as compiled.

Manifests of `airflow-dataops compile` tell it (`dataops_touched`: `kind:name`, as recorded). Of
others it is told from the words in the code, which finds more than there is rather than less.
"""

from __future__ import annotations

import re
from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Kind(StrEnum):
    """What was touched."""

    WAREHOUSE = "warehouse"
    CLOCK = "clock"
    RUN = "run"
    FULL_REFRESH = "full_refresh"
    CHANCE = "chance"
    TARGET = "target"
    ENV_VAR = "env_var"
    VAR = "var"
    OUTCOME = "outcome"
    """What the nodes of the run became; only hooks at its end are told."""
    RUN_VAR = "run_var"
    PLACE = "place"
    UNREAD = "unread"


_REASONS = {
    Kind.WAREHOUSE: "SQL that asks the warehouse while it is rendered",
    Kind.CLOCK: "SQL that reads the clock while it is rendered",
    Kind.RUN: "SQL with values of the run that renders it",
    Kind.FULL_REFRESH: "SQL that is rendered otherwise on a full refresh",
    Kind.CHANCE: "SQL that is rendered at random",
    Kind.OUTCOME: "SQL of what became of the run",
    Kind.RUN_VAR: "SQL that a var of the run decides, or that has it in another form",
    Kind.PLACE: "SQL with values of the run where they cannot be written safely",
}
"""Of the others, the values are those that the compilation was given: they may stay."""

_TIES = {
    Kind.TARGET: "SQL with values of the target that it was compiled for",
    Kind.ENV_VAR: "SQL with values of the environment that it was compiled in",
    Kind.UNREAD: "SQL in which the names of tables cannot be found",
}
"""What ties SQL to the environment that it was compiled for."""

_WORDS = (
    (
        Kind.WAREHOUSE,
        re.compile(
            r"\b(?:run_query|load_result|load_relation|load_cached_relation|statement(?=\s*\()"
            r"|get_columns_in_(?:relation|query)|dbt_utils\.get_[a-z_]+"
            r"|adapter\b(?!\s*\.\s*(?:dispatch|type|quote|quote_as_configured|Relation)\b))"
            r"(?:\.\w+)?"
        ),
    ),
    (
        Kind.CLOCK,
        re.compile(
            r"\brun_started_at\b|\bmodules\b(?!\s*\.\s*(?:re|itertools|pytz)\b)(?:\.\w+){0,3}"
        ),
    ),
    (
        Kind.RUN,
        re.compile(
            r"\binvocation_id\b|\bthread_id\b|\binvocation_args_dict\b|\bselected_resources\b"
            r"|\bflags\b(?!\s*\.\s*(?:FULL_REFRESH|STORE_FAILURES)\b)(?:\.\w+)?"
        ),
    ),
    (Kind.FULL_REFRESH, re.compile(r"\bshould_full_refresh\b|\bflags\s*\.\s*FULL_REFRESH\b")),
    (Kind.TARGET, re.compile(r"\btarget\b(?:\s*\.\s*\w+)?")),
    (Kind.ENV_VAR, re.compile(r"\benv_var\b")),
    (Kind.CHANCE, re.compile(r"\|\s*random\b|\blipsum\b")),
)
_JINJA = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def words(code: str) -> Iterator[str]:
    """Yield what the Jinja of a code touches, going by its words, as `kind:name`."""
    if "{" not in code:
        return
    # Nothing ends after the last end: to look for one from each begin would take squared time.
    ended = code.rfind("#}") + 2
    code = _COMMENT.sub("", code[:ended]) + code[ended:]
    ended = max(code.rfind("}}"), code.rfind("%}")) + 2
    jinja = " ".join(_JINJA.findall(code[:ended]))
    for kind, pattern in _WORDS:
        if found := pattern.search(jinja):
            yield f"{kind}:{found[0]}"


def reasons(touched: Iterable[str]) -> list[str]:
    """Return why code that touches these things cannot run as compiled; nothing if it can."""
    return _said(touched, _REASONS)


def ties(touched: Iterable[str]) -> list[str]:
    """Return why code that touches these things cannot run in another environment."""
    return _said(touched, _TIES)


def _said(touched: Iterable[str], told: Mapping[Kind, str]) -> list[str]:
    by_kind: dict[str, set[str]] = defaultdict(set)
    for each in touched:
        kind, _, name = each.partition(":")
        by_kind[kind].add(name)
    return [
        f"{said}: {', '.join(sorted(by_kind[kind]))}"
        for kind, said in told.items()
        if kind in by_kind
    ]
