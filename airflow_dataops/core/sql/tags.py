"""Who runs a statement, in a form that each engine keeps beside it.

An id may hold anything that its author or a trigger gave it, so no text goes to an engine as
it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from urllib.parse import quote

from airflow_dataops.core.model import Struct

_LONGEST_TAG = 2000  # https://docs.snowflake.com/en/sql-reference/parameters#query-tag
_LONGEST_LABEL = 63  # https://cloud.google.com/bigquery/docs/labels-intro#requirements
_DIGEST = 8


class Tag(Struct, frozen=True):
    """The task instance that runs a statement.

    Attributes:
        map_index: of a mapped task, else -1.
        model: the node that the task builds, where it is one.
        owner: of the task; None where nobody is named.
    """

    dag: str
    task: str
    run: str
    try_number: int = 1
    map_index: int = -1
    model: str | None = None
    owner: str | None = None

    @property
    def parts(self) -> dict[str, str]:
        """Its ids by name, as texts."""
        found = {"dag": self.dag, "task": self.task, "run": self.run, "try": str(self.try_number)}
        if self.map_index >= 0:
            found["map_index"] = str(self.map_index)
        more = {"model": self.model, "owner": self.owner}
        return found | {key: value for key, value in more.items() if value}


def comment(tag: Tag) -> str:
    """Return a SQL comment such as `/*dag='shop',run='manual',task='orders',try='1'*/`.

    The form is sqlcommenter's (https://google.github.io/sqlcommenter/spec): sorted keys, values
    percent-encoded, so that none can end the comment. It goes before the statement, where a
    server that cuts long statements still shows it.
    """
    pairs = (f"{key}='{quote(value, safe='')}'" for key, value in sorted(tag.parts.items()))
    return f"/*{','.join(pairs)}*/"


def query_tag(tag: Tag) -> str:
    """Return a Snowflake QUERY_TAG: a JSON object of at most 2,000 characters."""
    parts = {"app": "airflow-dataops", **tag.parts}
    text = json.dumps(parts)
    while len(text) > _LONGEST_TAG:
        longest = max(parts, key=lambda key: len(json.dumps(parts[key])))
        parts[longest] = _cut(parts[longest], max(len(parts[longest]) // 2, _DIGEST + 1))
        text = json.dumps(parts)
    return text


def labels(tag: Tag) -> dict[str, str]:
    """Return BigQuery job labels: of each id lowercase letters, digits, `_` and `-`.

    An id that is changed by that ends with a digest of what it was, so that two stay two.
    """
    return {f"airflow_{key}": _label(value) for key, value in tag.parts.items()}


def application_name(tag: Tag) -> str:
    """Return a Postgres application_name: at most 63 printable ASCII characters."""
    text = re.sub(r"[^\x20-\x7e]", "?", f"airflow {tag.dag}.{tag.task} try {tag.try_number}")
    return text if len(text) <= _LONGEST_LABEL else _cut(text, _LONGEST_LABEL)


def _label(value: str) -> str:
    clean = re.sub(r"[^a-z0-9_-]", "_", value.lower())
    if clean == value and len(clean) <= _LONGEST_LABEL:
        return clean
    return f"{clean[: _LONGEST_LABEL - _DIGEST - 1]}-{_digest(value)}"


def _cut(value: str, length: int) -> str:
    return f"{value[: length - _DIGEST - 1]}-{_digest(value)}"


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:_DIGEST]
