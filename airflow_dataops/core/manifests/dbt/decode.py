"""Bytes to the structs of `wire`, and plain words for bytes that are no dbt manifest."""

from __future__ import annotations

import msgspec

from airflow_dataops.core.manifests.dbt import syntax, wire
from airflow_dataops.core.manifests.dbt.version import check_version
from airflow_dataops.errors import ManifestError, Problem

_decode = msgspec.json.Decoder(wire.File).decode
_SECTIONS = ("nodes", "sources", "exposures", "unit_tests", "macros")


class _Sections(wire.Wire, frozen=True):
    """A manifest whose entries are left undecoded."""

    metadata: wire.Metadata = wire.Metadata()
    nodes: dict[str, msgspec.Raw] = {}
    sources: dict[str, msgspec.Raw] = {}
    exposures: dict[str, msgspec.Raw] = {}
    unit_tests: dict[str, msgspec.Raw] = {}
    macros: dict[str, msgspec.Raw] = {}


class _Head(wire.Wire, frozen=True):
    metadata: wire.Metadata = wire.Metadata()


def decode(data: bytes, source: str) -> wire.File:
    """Decode a manifest of a schema version that we can read.

    Raises:
        ManifestError: the bytes are no JSON, no dbt manifest, or of a version that is too
            old; or entries have a shape that their schema version does not allow.
    """
    if problem := syntax.not_text(data):
        raise ManifestError(source, [problem])
    try:
        file = _checked(data)
    except msgspec.DecodeError as error:
        raise ManifestError(source, [syntax.not_json(data, str(error))]) from error
    except RecursionError as error:
        raise ManifestError(source, [syntax.too_deep()]) from error
    if isinstance(file, wire.File):
        return file
    raise ManifestError(source, file)


def _checked(data: bytes) -> wire.File | list[Problem]:
    try:
        file = _decode(data)
    except msgspec.ValidationError as error:
        return _wrong_shapes(data, error)
    problem = check_version(file.metadata)
    return [problem] if problem else file


def _wrong_shapes(data: bytes, error: msgspec.ValidationError) -> list[Problem]:
    """Say which entries do not fit, all of them; or that the file is something else.

    The error at hand names neither the entry nor the others, so decode again in steps.
    """
    try:
        head = msgspec.json.decode(data, type=_Head)
    except msgspec.ValidationError:
        return [syntax.other_json(data)]
    if problem := check_version(head.metadata):
        return [problem]
    try:
        sections = msgspec.json.decode(data, type=_Sections)
    except msgspec.ValidationError as wrong:
        return [_wrong_shape(wrong)]
    problems = [
        problem
        for name in _SECTIONS
        for key, raw in getattr(sections, name).items()
        if (problem := _wrong_entry(name, key, raw))
    ]
    return problems or [_wrong_shape(error)]


def _wrong_entry(section: str, key: str, raw: msgspec.Raw) -> Problem | None:
    try:
        msgspec.json.decode(raw, type=wire.Macro if section == "macros" else wire.Node)
    except msgspec.ValidationError as error:
        return _wrong_shape(error, section, key)
    return None


def _wrong_shape(error: msgspec.ValidationError, section: str = "", key: str = "") -> Problem:
    what, _, place = str(error).partition(" - at ")
    place = place.strip("`").removeprefix("$").replace("[...]", ".*").lstrip(".") or "the top"
    where = f"{section}: {place}" if section else place
    return Problem(
        f"{what[:1].lower()}{what[1:]} at {where}. Let dbt write the manifest again.",
        node=key or None,
    )
