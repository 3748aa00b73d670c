"""Seeds against `dbt seed`: names, types and values of nasty files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from airflow_dataops.core.execution.csv_table import read_seed
from airflow_dataops.core.execution.seeds import build_seed
from airflow_dataops.core.model import Code, SeedSpec
from tests.oracle.recording import WAYS, recording
from tests.unit.execution.nasty_seeds import AS_DBT, CONFIG, MORE, REFUSED
from tests.unit.execution.side_by_side import SideBySide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.model import Manifest, Node
    from tests.unit.execution.dbt_process import Verdict

FILES = {**AS_DBT, **{name: text for name, (text, _) in MORE.items()}, **REFUSED}


@pytest.fixture(scope="module", params=WAYS)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SideBySide]:
    files = {f"seeds/{name}.csv": text for name, text in FILES.items()}
    files["seeds/config.yml"] = CONFIG
    with recording(request, "seeds") as recorded:
        yield SideBySide(tmp_path_factory.mktemp("seeds"), files, recorded)


@pytest.fixture(scope="module")
def verdicts(pair: SideBySide) -> dict[str, Verdict]:
    return {id_.split(".")[-1]: verdict for id_, verdict in pair.dbt("seed").items()}


@pytest.fixture(scope="module")
def manifest(pair: SideBySide, verdicts: dict[str, Verdict]) -> Manifest:
    return pair.manifest()


def load(pair: SideBySide, manifest: Manifest, name: str, text: str) -> None:
    node = manifest.project.nodes[f"seed.pair.{name}"]
    for seed in (node, with_types(node, text)):
        pair.ours(lambda runner, seed=seed: build_seed(seed, Code(csv=text), runner))


def with_types(node: Node, text: str) -> Node:
    """Give every column the type that is inferred, as `airflow-dataops compile` does."""
    assert isinstance(node.spec, SeedSpec)
    told = node.spec.column_types
    table = read_seed(text, where="", delimiter=node.spec.delimiter, column_types=told)
    types = {column.name: column.type for column in table.columns}
    return replace(node, spec=replace(node.spec, column_types=types))


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", AS_DBT)
def test_a_seed_becomes_the_table_that_dbt_makes(
    pair: SideBySide, verdicts: dict[str, Verdict], manifest: Manifest, name: str
) -> None:
    assert verdicts[name].status == "success", verdicts[name].message
    for _ in range(2):  # the second time over the first one's table
        load(pair, manifest, name, AS_DBT[name])
        theirs, ours = pair.tables(f"main.{name}")
        assert ours == theirs


@pytest.mark.parametrize("name", MORE)
def test_what_dbt_reads_but_duckdb_cannot_copy_is_loaded(
    pair: SideBySide, verdicts: dict[str, Verdict], manifest: Manifest, name: str
) -> None:
    text, rows = MORE[name]
    assert verdicts[name].status == "error"
    load(pair, manifest, name, text)
    loaded = pair.ours(lambda runner: runner.fetch(f"from main.{name}"))
    assert loaded == rows


@pytest.mark.parametrize("name", REFUSED)
def test_what_dbt_refuses_we_refuse(
    pair: SideBySide, verdicts: dict[str, Verdict], manifest: Manifest, name: str
) -> None:
    assert verdicts[name].status == "error"
    with pytest.raises(Exception, match=r".+"):
        load(pair, manifest, name, REFUSED[name])
    exists = "select count(*) from duckdb_tables() where table_name = ?"
    assert pair.ours(lambda runner: runner.fetch(exists, [name])) == [(0,)]
