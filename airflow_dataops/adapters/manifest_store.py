"""Manifests as files, read once per content and host.

Decoding a manifest is the dear part of parsing a DAG file, and every process that parses
needs it. So what was read is kept in one *pack* per content, beside Airflow's home:

    magic | nodes: a msgpack map | code: msgpack, one after another | header | length, crc

`nodes` is one valid msgpack map and its entries are also indexed by offset, so that a worker
reads the one node it runs without decoding the others. A pack is written to a temporary name
and moved into place; a broken or older pack is made again without a word.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops import __version__
from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.core.model import Code, Node, Project, Struct
from airflow_dataops.errors import ConfigError, ManifestError, Problem

if TYPE_CHECKING:
    from airflow_dataops.core.model import Manifest

_MAGIC = b"dataops1"
_TAIL = struct.Struct("<QII")
"""Place, length and checksum of the header."""

_encode = msgspec.msgpack.Encoder().encode
_decode_nodes = msgspec.msgpack.Decoder(dict[str, Node]).decode
_decode_node = msgspec.msgpack.Decoder(Node).decode
_decode_code = msgspec.msgpack.Decoder(Code).decode


class _Span(Struct, frozen=True, array_like=True):
    start: int
    length: int


class _Header(Struct, frozen=True):
    """What a pack holds and where: the project without its nodes, and two indices."""

    project: Project
    nodes: _Span
    node: dict[str, _Span]
    code: dict[str, _Span]


_decode_header = msgspec.msgpack.Decoder(_Header).decode


class StoredManifest:
    """One manifest, opened for reading."""

    def __init__(self, source: str, pack: bytes) -> None:
        self.source = source
        self._pack = memoryview(pack)
        self._header = _header_of(pack)

    def project(self) -> Project:
        """Return the project with all of its nodes, without code."""
        nodes = _decode_nodes(self._at(self._header.nodes))
        return msgspec.structs.replace(self._header.project, nodes=nodes)

    def node(self, id_: str) -> Node:
        """Return one node by its unique id. Raises `ConfigError` when there is none."""
        if (span := self._header.node.get(id_)) is None:
            raise ConfigError(
                f"{self.source} has no node {id_!r}; was the manifest replaced while the run "
                "was under way? Clear the task to run it with the manifest of today"
            )
        return _decode_node(self._at(span))

    def code(self, id_: str) -> Code:
        """Return the code of one node; empty where the manifest has none."""
        span = self._header.code.get(id_)
        return Code() if span is None else _decode_code(self._at(span))

    def _at(self, span: _Span) -> memoryview:
        return self._pack[span.start : span.start + span.length]


def open_manifest(path: str | Path) -> StoredManifest:
    """Open the manifest in a file.

    Raises:
        ConfigError: the file is not there or may not be read.
        ManifestError: it is not a manifest, or a wrong one.
    """
    source = str(path)
    data = _read(Path(path))
    pack_path = _cache_folder() / f"{_key(data)}.pack"
    with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
        return StoredManifest(source, pack_path.read_bytes())
    pack = _packed(read_manifest(data, source=source))
    _write(pack_path, pack)
    return StoredManifest(source, pack)


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; run `airflow-dataops compile` (or `dbt compile`) and put the "
            "manifest there"
        ) from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder; name the manifest in it") from None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); let the user that runs Airflow read it"
        ) from error
    if not data:
        problem = Problem("the file is empty; was it copied while dbt was still writing it?")
        raise ManifestError(str(path), [problem])
    return data


def _key(data: bytes) -> str:
    """Name a pack by what is in it and by who reads it, so that an upgrade reads afresh."""
    return hashlib.sha256(f"{__version__}:".encode() + data).hexdigest()[:32]


def _cache_folder() -> Path:
    home = os.environ.get("AIRFLOW_HOME") or Path.home() / "airflow"
    return Path(home) / "dataops" / "manifests"


def _packed(manifest: Manifest) -> bytes:
    pack = bytearray(_MAGIC)
    start = len(pack)
    nodes = manifest.project.nodes
    pack += _map_start(len(nodes))
    node_spans = {}
    for id_, node in nodes.items():
        pack += _encode(id_)
        node_spans[id_] = _append(pack, node)
    all_nodes = _Span(start=start, length=len(pack) - start)
    code_spans = {id_: _append(pack, code) for id_, code in manifest.code.items()}
    project = msgspec.structs.replace(manifest.project, nodes={})
    header = _encode(_Header(project=project, nodes=all_nodes, node=node_spans, code=code_spans))
    place = len(pack)
    pack += header
    pack += _TAIL.pack(place, len(header), zlib.crc32(header))
    return bytes(pack)


def _append(pack: bytearray, value: Struct) -> _Span:
    start = len(pack)
    pack += _encode(value)
    return _Span(start=start, length=len(pack) - start)


def _map_start(count: int) -> bytes:
    """Start a msgpack map of `count` entries (format `map 32`, msgpack specification)."""
    return struct.pack(">BI", 0xDF, count)


def _header_of(pack: bytes) -> _Header:
    """Read the header. Raises `ValueError` when the pack is not whole."""
    if not pack.startswith(_MAGIC) or len(pack) < len(_MAGIC) + _TAIL.size:
        raise ValueError("not a pack")
    place, length, checksum = _TAIL.unpack_from(pack, len(pack) - _TAIL.size)
    header = pack[place : place + length]
    if zlib.crc32(header) != checksum:
        raise ValueError("a broken pack")
    return _decode_header(header)


def _write(path: Path, pack: bytes) -> None:
    """Write a pack, whole or not at all; a host that cannot write reads afresh each time."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with open(descriptor, "wb") as file:
                file.write(pack)
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
