"""The SQL that asks a source for its newest row.

Answers are seconds since 1970 in UTC (SQL's `extract(epoch from ...)`), whatever the type: a
time with a zone is itself, one without is taken as UTC, a date as its midnight in UTC.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote, resolve
from airflow_dataops.core.engines.relations import render, subquery
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.model import Relation

_THIS = re.compile(r"\{\{-?\s*this\s*-?\}\}")
_JINJA = re.compile(r"\{[{%#]")


def newest_row(
    relation: Relation, field: str, filter_: str | None, columns: Sequence[str], dialect: str
) -> str:
    """Return a query for the greatest value of `field`.

    Args:
        field: one of `columns`, which is then quoted, or else an SQL expression.
        filter_: SQL condition on the rows to look at.
    """
    column = resolve(field, columns)
    value = field if column is None else quote(column, dialect)
    where = f"\nwhere {filter_}" if filter_ else ""
    seconds = get_engine(dialect).models.epoch.format(f"max({value})")
    return f"select {seconds}\nfrom {render(relation, dialect)}{where}"


def answer_of(query: str, relation: Relation, dialect: str) -> str:
    """Return a query for the one value that an author's `loaded_at_query` returns.

    dbt leaves its Jinja in the manifest; `{{ this }}` is filled in here.

    Raises:
        ConfigError: other Jinja is left in it.
    """
    if _JINJA.search(_THIS.sub("", query)):
        raise ConfigError(
            f"the loaded_at_query of {relation} holds Jinja other than {{{{ this }}}}, which only "
            "dbt can fill in. Name the tables in SQL, or use loaded_at_field."
        )
    filled = _THIS.sub(lambda _: render(relation, dialect), query)
    return f"select {get_engine(dialect).models.epoch.format(subquery(filled))}"
