"""One small project written by hand, with something for every method to find.

ships -> stg_ships -> dim_ships.v1, .v2 (latest), .v3 -> (v2) -> fct_calls -> dashboard
calls -> stg_calls -------------------------------------------> fct_calls
stg_ships -> ships_history          rates (seed) -> fees (package tolls)
"""

from __future__ import annotations

from typing import Any

from airflow_dataops.core.model import (
    ExposureSpec,
    ModelSpec,
    Node,
    NodeKind,
    Project,
    SeedSpec,
    SnapshotSpec,
    SourceSpec,
    Spec,
    TestSpec,
    UnitTestSpec,
)
from airflow_dataops.core.selection import OnEmpty, SelectionInputs, select_nodes


def node(kind: str, name: str, *parents: str, spec: Spec, **fields: Any) -> Node:
    package = fields.pop("package", "port")
    folder = fields.pop("folder", f"{kind}s")
    fields = {
        "id": f"{kind}.{package}.{name}",
        "fqn": (package, *folder.split("/")[1:], name),
        "path": f"{folder}/{name}.sql",
        "package": package,
    } | fields
    return Node(kind=NodeKind(kind), name=name, parents=parents, spec=spec, **fields)


def model(name: str, *parents: str, **fields: Any) -> Node:
    config = {"materialized": "table"} | fields.pop("config", {})
    return node("model", name, *parents, spec=ModelSpec(), config=config, **fields)


def version(number: str, latest: bool, *parents: str, **fields: Any) -> Node:
    return model(
        "dim_ships",
        *parents,
        id=f"model.port.dim_ships.v{number}",
        fqn=("port", "marts", "dim_ships", f"v{number}"),
        path=f"models/marts/dim_ships_v{number}.sql",
        version=number,
        latest_version=latest,
        **fields,
    )


def source(group: str, name: str, **fields: Any) -> Node:
    return node(
        "source",
        name,
        spec=SourceSpec(source=group),
        id=f"source.port.{group}.{name}",
        fqn=("port", "staging", group, name),
        path="models/staging/_sources.yml",
        **fields,
    )


def data_test(name: str, *parents: str, **fields: Any) -> Node:
    spec = TestSpec(generic=fields.pop("generic", None))
    return node("test", name, *parents, spec=spec, folder="tests", **fields)


PORT = Project(
    name="port",
    nodes={
        each.id: each
        for each in (
            source("register", "ships", tags=("hourly",), config={"meta": {"owner": "ann"}}),
            source("quay", "calls"),
            model(
                "stg_ships",
                "source.port.register.ships",
                folder="models/staging",
                tags=("daily", "raw-ish"),
                config={"materialized": "view", "meta": {"pii": False, "teams": ["ops", "bi"]}},
                declared_in="models/staging/_staging.yml",
            ),
            model("stg_calls", "source.port.quay.calls", folder="models/staging", tags=("daily",)),
            version("1", False, "model.port.stg_ships", access="public"),
            version("2", True, "model.port.stg_ships", access="public", tags=("daily",)),
            version("10", False, "model.port.stg_ships", access="private", group="crew"),
            model(
                "fct_calls",
                "model.port.dim_ships.v2",
                "model.port.stg_calls",
                folder="models/marts",
                config={"unique_key": ["call_id", "ship_id"], "group": "billing"},
            ),
            node("seed", "rates", spec=SeedSpec(file="seeds/rates.csv"), path="seeds/rates.csv"),
            node(
                "snapshot",
                "ships_history",
                "model.port.stg_ships",
                spec=SnapshotSpec(strategy="check", unique_key=("ship_id",)),
            ),
            model("fees", "seed.port.rates", package="tolls", folder="models/staging"),
            data_test(
                "unique_stg_ships_ship_id",
                "model.port.stg_ships",
                generic="unique",
                config={"severity": "ERROR"},
            ),
            data_test(
                "calls_have_ships",
                "model.port.fct_calls",
                "model.port.stg_ships",
                generic="dbt_utils.relationships_where",
                config={"severity": "WARN"},
            ),
            data_test("assert_calls", "model.port.fct_calls", "model.port.stg_calls"),
            node(
                "unit_test",
                "ships_are_trimmed",
                "model.port.stg_ships",
                spec=UnitTestSpec(model="model.port.stg_ships"),
                path="models/staging/_staging.yml",
            ),
            node(
                "exposure",
                "dashboard",
                "model.port.fct_calls",
                spec=ExposureSpec(type="dashboard"),
                path="models/_exposures.yml",
            ),
        )
    },
)

DATA_TESTS = {"unique_stg_ships_ship_id", "calls_have_ships", "assert_calls"}


def short(node_id: str) -> str:
    """Return a node's name, with the version where it has one: `dim_ships.v2`."""
    node = PORT.nodes[node_id]
    return f"{node.name}.v{node.version}" if node.version else node.name


def chosen(
    select: Any = None,
    exclude: Any = None,
    *,
    tests: bool = True,
    inputs: SelectionInputs | None = None,
    on_empty: Any = OnEmpty.ERROR,
    **options: Any,
) -> set[str]:
    """Return the short names of what is selected from PORT, tests left out if so wanted."""
    ids = select_nodes(PORT, select, exclude, inputs=inputs, on_empty=on_empty, **options)
    kinds = ("test.", "unit_test.")
    return {short(id_) for id_ in ids if tests or not id_.startswith(kinds)}
