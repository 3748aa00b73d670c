"""Files that are no manifest, or not one that can be read: each says what was found."""

from __future__ import annotations

import gzip
import json

import msgspec
import pytest

from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.errors import ManifestError
from tests.unit.manifests.built import SCHEMA, complaint, entry, manifest, model, read, refused

REMEDY = "Take target/manifest.json"


def head(artifact: str, **metadata: object) -> bytes:
    schema = f"https://schemas.getdbt.com/dbt/{artifact}.json"
    return json.dumps({"metadata": {"dbt_schema_version": schema} | metadata}).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty (0 bytes)"),
        (b" \n\t\n", "the file is empty (4 bytes)"),
        (b"\xef\xbb\xbf{}", "begins with a UTF-8 byte order mark. Save it as UTF-8 without a BOM."),
        ("{}".encode("utf-16"), "is UTF-16 text. Save it as UTF-8"),
        ("\ufeff{}".encode("utf-16-be"), "is UTF-16 text. Save it as UTF-8"),
        (gzip.compress(b"{}", mtime=0), "is a gzip archive. Unpack it."),
        (b"PK\x03\x04rest", "is a zip archive. Unpack it."),
        (b"version https://git-lfs.github.com/spec/v1\noid", "is a Git LFS pointer"),
        (b"<!doctype html>", "is XML or HTML, not JSON. " + REMEDY),
        (b'{"nodes": "\xff"}', "is not UTF-8: byte 0xff at position 11 cannot be decoded"),
        (b"name: shop\nversion: 1\n", "is not JSON, it looks like YAML. " + REMEDY),
        (b"---\na: 1\n", "it looks like YAML"),
        (b"# a pipeline\nname: shop\n", "it looks like YAML"),
        (b"- a\n- b\n", "it looks like YAML"),
        (b"hello", "is not JSON: invalid character at byte 0 (line 1). " + REMEDY),
        (b'{"a": 1}\n{"b": 2}', "trailing characters at byte 10 (line 2)"),
        (b'{"metadata": {}, "nodes": {', "ends too early, after byte 27: the file was cut off"),
        (b'{"a": ' + b"[" * 100_000, "is nested too deeply"),
        (b'{"a": [1, NaN]}', 'NaN at byte 10 ("a.1") is not JSON, though dbt writes it for `.nan`'),
        (b'{"a": -Infinity}', 'Infinity at byte 7 ("a") is not JSON'),
        (
            b'{"nodes": {"model.x.a": {"patch_path": "x://m/a.yml", "meta": {"k": [NaN]}}}}',
            'model.x.a, m/a.yml: NaN at byte 69 ("meta.k.0") is not JSON',
        ),
        (b"[1, 2]", "this is JSON, but a list and no dbt manifest. " + REMEDY),
        (b'"manifest"', "this is JSON, but a text and no dbt manifest"),
        (b"12", "this is JSON, but a value and no dbt manifest"),
        (b"{}", "no dbt manifest: it has no metadata.dbt_schema_version. " + REMEDY),
        (b'{"metadata": 5, "nodes": 1}', "no dbt manifest; its keys are: metadata, nodes."),
        (b'{"nodes": []}', "no dbt manifest: it has no metadata.dbt_schema_version"),
        (
            head("schema/v1").replace(b"/schema/", b"/Schema/"),
            "its metadata.dbt_schema_version is 'https://schemas.getdbt.com/dbt/Schema/v1.json'",
        ),
        (head("run-results/v6", dbt_version="1.11.0"), "this is dbt's run-results (v6, written"),
        (head("catalog/v1"), "this is dbt's catalog (v1), not its manifest. " + REMEDY),
        (head("sources/v3"), "this is dbt's sources (v3), not its manifest"),
        (
            head("manifest/v9", dbt_version="1.5.2"),
            "a dbt manifest of schema v9, written by dbt 1.5.2; v10 (dbt 1.6) is the oldest that "
            "can be read. Compile the project with dbt 1.6 or newer.",
        ),
        (head("manifest/v1"), "a dbt manifest of schema v1; v10"),
        (
            head("manifest/v12", dataops={"version": 4}),
            "compiled by a newer airflow-dataops (format 4, this release reads 3). Upgrade",
        ),
    ],
)
def test_says_what_it_found_and_what_to_do(data: bytes, said: str) -> None:
    assert said in complaint(data)


def test_the_error_names_the_file() -> None:
    with pytest.raises(ManifestError, match=r"^shop/manifest\.json: the file is empty"):
        read_manifest(b"", source="shop/manifest.json")


def test_a_catalog_whose_nodes_have_another_shape_is_still_known() -> None:
    data = json.loads(head("catalog/v1")) | {"nodes": {"model.a.b": {"metadata": {}}}}
    assert "this is dbt's catalog (v1)" in complaint(json.dumps(data).encode())


def test_an_old_manifest_whose_nodes_have_another_shape_is_still_known() -> None:
    data = json.loads(head("manifest/v4")) | {"nodes": {"model.a.b": {"tags": 5}}}
    assert "schema v4" in complaint(json.dumps(data).encode())


@pytest.mark.parametrize("cut", [1, 10, 60, 200, 500, 700])
def test_a_truncated_manifest_says_where_it_ends(cut: int) -> None:
    data = manifest(model())
    short = data[: len(data) - cut] if cut < len(data) else data[:1]
    assert f"the JSON ends too early, after byte {len(short)}" in complaint(short)


def test_entries_of_a_wrong_shape_are_named_all_of_them() -> None:
    nodes = {
        "model.shop.a": entry("model.shop.a", tags=5),
        "model.shop.b": entry("model.shop.b"),
        "model.shop.c": {"resource_type": "model"},
    }
    sources = {"source.shop.s.t": {"name": "t", "schema": ["x"]}}
    first, second, third = map(str, refused(manifest(nodes, sources=sources)))
    assert first.startswith("model.shop.a: expected `str | array | null`, got `int` at nodes: tags")
    assert second.startswith("model.shop.c: object missing required field `name` at nodes")
    assert third.startswith(
        "source.shop.s.t: expected `str | null`, got `array` at sources: schema"
    )


def test_a_section_of_a_wrong_shape_is_named() -> None:
    said = "expected `object`, got `array` at exposures. Let dbt write the manifest again."
    assert complaint(manifest(exposures=[])) == said


def test_a_wrong_shape_followed_by_broken_json_is_broken_json() -> None:
    data = manifest({"model.shop.a": entry("model.shop.a", tags=5)})
    assert "ends too early" in complaint(data[:-1])


def test_numbers_out_of_range_are_refused() -> None:
    data = manifest(model(big=1)).replace(b'"big":1', b'"big":1e999')
    assert "number out of range" in complaint(data)


@pytest.mark.parametrize("version", ["v10", "v11", "v12"])
def test_reads_the_versions_it_knows_without_warning(version: str) -> None:
    project = read(model(), version=version).project
    assert (project.schema_version, project.warnings) == (version, ())


@pytest.mark.parametrize("version", ["v13", "v20"])
def test_reads_newer_versions_with_a_warning(version: str) -> None:
    project = read(model(), version=version).project
    (warning,) = project.warnings
    assert warning.startswith(f"the manifest has schema {version}; v12 is the newest")
    assert project.nodes


def test_an_empty_project_is_a_project() -> None:
    project = read().project
    assert (project.name, project.nodes) == ("shop", {})


def test_the_name_falls_back_on_the_hash_then_on_the_most_nodes_then_on_the_file() -> None:
    nodes = {id_: entry(id_) for id_ in ("model.crm.a", "model.crm.b", "model.shop.c")}
    nameless = {"project_name": None}
    hashed = nameless | {"project_id": "fb54f3c5992b96d001bb16e8e92d968d"}
    assert read(nodes, metadata=hashed).project.name == "shop"
    assert read(nodes, metadata=nameless).project.name == "crm"
    data = msgspec.json.encode({"metadata": {"dbt_schema_version": SCHEMA.format("v10")}})
    assert read_manifest(data, source="folder/tiny.json").project.name == "tiny"
