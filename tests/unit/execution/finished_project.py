"""A project that asks for comments, grants and indexes, with texts that try to break out."""

from __future__ import annotations

import json

HOSTILE = (
    'it\'s a "name"',
    "back\\slash \\' and \\\\",
    "100 % %s %(x)s ${money} $$ $1",
    "one line\nanother -- no comment /* nor this */;",
    "ein Fräulein ☃ 😀",
    "'); drop table orders; --",
    "",
)
SEED = "a,b\n1,2\n"
NAMES = ("a", "b", "c", "d", "e", "f", "g")
ROWS = "select {day} as a, 2 as b, 3 as c, 4 as d, 5 as e, 6 as f, 7 as g"
DOCS = "persist_docs={'relation': true, 'columns': true}"
INDEXES = "indexes=[{'columns': ['b', 'c']}, {'columns': ['a'], 'unique': true}]"
GRANTS = "grants={'select': ['reader', 'writer'], 'update': 'writer'}"
CONFIGS = {
    "v": "materialized='view'",
    "t": "materialized='table'",
    "i": "materialized='incremental', incremental_strategy='append'",
}


def files(*, grants: bool, indexes: bool) -> dict[str, str]:
    """Return the files of the project."""
    found = {"models/docs.yml": _yaml(), "seeds/s.csv": SEED}
    for name, config in CONFIGS.items():
        asked = [config, DOCS, *([GRANTS] if grants else [])]
        if indexes and name != "v":
            asked.append(INDEXES)
        sql = ROWS.format(day=f"n + {NAMES.index('b')}")
        found[f"models/{name}.sql"] = f"{{{{ config({', '.join(asked)}) }}}}\n{sql} from raw.days"
    return found


def _yaml() -> str:
    columns = [
        {"name": name, "description": text} for name, text in zip(NAMES, HOSTILE, strict=True)
    ] + [{"name": "gone", "description": "not in the query"}, {"name": "A", "description": "case"}]
    models = [
        {"name": name, "description": HOSTILE[at], "columns": columns}
        for at, name in enumerate(CONFIGS)
    ]
    seed = {
        "name": "s",
        "description": HOSTILE[3],
        "config": {"persist_docs": {"relation": True, "columns": True}},
        "columns": columns[:1],
    }
    return json.dumps({"version": 2, "models": models, "seeds": [seed]}, ensure_ascii=False)
