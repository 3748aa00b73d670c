"""A kind of manifest that another package reads: `<name>.<kind>.json` or `.yaml`."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import pytest

from airflow_dataops import load_dags
from airflow_dataops.core.manifests import plugged
from airflow_dataops.core.manifests.files import kind_of
from airflow_dataops.core.manifests.readers import DbtReader
from tests.host.manifests import manifest, model

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_dataops.core.model import Manifest


class ListReader:
    """Reads a list of models, one after another."""

    kind = "list"

    def read(self, data: bytes, *, source: str) -> Manifest:
        names = data.decode().split()
        content = json.dumps(manifest(*map(model, names))).encode()
        return DbtReader().read(content, source=source)


@pytest.fixture
def _plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("list", f"{__name__}:reader", plugged.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: ListReader())
    monkeypatch.setattr(plugged, "plugged_kinds", lambda: {"list": entry})


@pytest.mark.usefixtures("_plugged")
def test_a_plugged_reader_makes_dags_beside_dbts(tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "shop.list.yaml").write_text("orders customers")
    (folder / "notes.other.yaml").write_text("not a manifest")
    namespace = {"__file__": str(tmp_path / "dag.py")}
    (dag,) = load_dags("manifests", namespace, conn_id="warehouse")
    assert set(dag.task_dict) == {"orders", "customers"}


def test_names_tell_the_kind() -> None:
    assert kind_of("manifest.json") == kind_of("a/manifest.json") == kind_of("shop.json") == "dbt"
    assert kind_of("shop.v2.json") == "dbt"
    assert {kind_of(f"a/{name}") for name in ("b.json", "b.yaml", "dbt_project.yml")} == {None}
    assert kind_of("dbt_packages/manifest.json") is kind_of(".git/manifest.json") is None
