"""Transfers in processes that kill themselves at a statement or batch; see `killing`.

`python -m tests.contract.killing_transfers` is a nursery. The connections are in its environment.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import Append, Attempt, Load, Merge, Replace
from airflow_dataops.core.model import Relation
from airflow_dataops.hooks.bulk import batches
from airflow_dataops.hooks.connection_query import ConnectionQuery
from airflow_dataops.hooks.file_source import Files
from airflow_dataops.hooks.object_storage import storage_path
from airflow_dataops.hooks.sql_runner import get_sql_hook, open_session
from airflow_dataops.hooks.tags import current_tag
from tests.contract.killing import CountingRunner, by_signal, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import Verb

ROWS = 1000
BATCH = 250
_SERIES = {"postgres": "generate_series(1, {})", "duckdb": "range(1, {} + 1)"}


def source_of(name: str, folder: str) -> Source:
    """Return a source of `ROWS` rows: the id, and a text."""
    if name == "files":
        return Files(f"{folder}/*.csv", "csv")
    series = _SERIES[name].format(ROWS)
    sql = f"select cast(i as bigint) as id, 'new ' || i as name from {series} as s(i)"
    return ConnectionQuery(f"{name}_in", sql)


VERBS: dict[str, Verb] = {
    "merge": Merge(keys=("id",)),
    "replace": Replace(),
    "append": Append(keys=("id",)),
}


class _Counting(CountingRunner):
    """Counts the batches of the source, too."""

    @property
    def connection(self) -> Any:
        return self._runner.connection  # type: ignore[attr-defined]


def transfer(
    source: str,
    target: str,
    verb: str,
    folder: str,
    try_number: int,
    last: int | None,
    die: Callable[[], None] = by_signal,
) -> None:
    """Run a transfer; write down the number of boundaries, of which `last` is the end."""
    with open_session(f"{target}_out") as session:
        runner = _Counting(session, last, die)
        batches.ROWS = BATCH
        plain = batches.Batches.__iter__

        def counted(self: batches.Batches) -> Iterator[Any]:
            for batch in plain(self):
                runner._passed()
                yield batch

        batches.Batches.__iter__ = counted  # type: ignore[method-assign]
        try:
            load = Load(
                target=Relation(identifier="arrived", schema="killed_transfers"),
                verb=VERBS[verb],
                attempt=Attempt(owner="shop.arrived", run_id="monday", try_number=try_number),
            )
            run_load(load, source_of(source, folder), runner)
        finally:
            batches.Batches.__iter__ = plain  # type: ignore[method-assign]
    Path(folder, "boundaries").write_text(str(runner.count))


def _warm_up() -> None:
    """Import what each child would import anew."""
    for name in ("bulk.duckdb", "bulk.postgres", "duckdb_lock", "file_reading"):
        import_module(f"airflow_dataops.hooks.{name}")
    for name in (
        "adbc_driver_postgresql.dbapi",
        "pyarrow.csv",
        "airflow_dataops.core.sql.sessions",
    ):
        import_module(name)
    for name in ("postgres_in", "duckdb_in"):
        get_sql_hook(name)
    current_tag()
    storage_path("/nowhere", None)


if __name__ == "__main__":
    _warm_up()
    serve(transfer)
