"""Which runs have added their rows: the table `dataops_receipts`.

A row of it is committed with the rows that it tells of, so that they are added once for the run,
wherever a try of it dies.
"""

from __future__ import annotations

from airflow_dataops.core.engines.base import Engine
from airflow_dataops.core.engines.identifiers import quote, quote_all
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import MARK, Statement
from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql.control import create_control_table

RECEIPTS = "dataops_receipts"
_COLUMNS = {
    "target": "text",
    "partition": "text",
    "owner": "text",
    "run_id": "text",
    "try_number": "integer",
    "loaded": "integer",
}
_KEYS = ("target", "partition", "owner", "run_id")


class Receipt(Struct, frozen=True):
    """One run's receipt: its key, and where it is kept."""

    table: Relation
    target: str
    partition: str
    owner: str
    run_id: str
    engine: Engine

    @property
    def _sql(self) -> str:
        return render(self.table, self.engine.name)

    @property
    def _where(self) -> str:
        return " and ".join(f"{quote(name, self.engine.name)} = {MARK}" for name in _KEYS)

    @property
    def _values(self) -> tuple[str, str, str, str]:
        return self.target, self.partition, self.owner, self.run_id

    def read(self) -> Statement:
        """Return the query for the try that wrote it, and the rows that it added."""
        names = quote_all(("try_number", "loaded"), self.engine.name)
        return Statement(
            sql=f"select {names} from {self._sql} where {self._where}", parameters=self._values
        )

    def write(self, try_number: int, rows: int) -> Statement:
        """Return the statement that writes it."""
        types = {"text": self.engine.loads.types.text, "integer": self.engine.loads.types.integer}
        bound = ", ".join(f"cast({MARK} as {types[kind]})" for kind in _COLUMNS.values())
        return Statement(
            sql=(
                f"insert into {self._sql} ({quote_all(_COLUMNS, self.engine.name)})\nselect {bound}"
            ),
            parameters=(*self._values, try_number, rows),
        )


def create_receipts(table: Relation, engine: Engine) -> Statement:
    """Return the statement that makes the table of receipts unless it exists."""
    return create_control_table(table, _COLUMNS, _KEYS, engine)


def forget(table: Relation, target: str, engine: Engine) -> tuple[Statement, ...]:
    """Return the statements that forget which runs have added rows to a target."""
    sql = f"delete from {render(table, engine.name)} where {quote('target', engine.name)} = {MARK}"
    return (Statement(sql=sql, parameters=(target,)),)
