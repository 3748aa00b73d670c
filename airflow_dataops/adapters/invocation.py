"""What dbt was called with when it wrote a manifest, told by the `run_results.json` beside it.

A manifest that `airflow-dataops compile` wrote tells it itself; one of dbt's own does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.adapters import cache
from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.core.model import Invocation, Struct

if TYPE_CHECKING:
    from airflow_dataops.adapters.manifest_store import StoredManifest

RUN_RESULTS = "run_results.json"
_decode = msgspec.msgpack.Decoder(Invocation).decode


class _Metadata(Struct, frozen=True):
    invocation_id: str | None = None


class _Manifest(Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class _Arguments(Struct, frozen=True):
    target: str | None = None
    vars: dict[str, Any] = {}


class _RunResults(Struct, frozen=True):
    metadata: _Metadata = _Metadata()
    args: _Arguments = _Arguments()


def invocation_of(manifest: StoredManifest) -> Invocation | None:
    """Return what dbt was called with; None where nothing of that very call is beside it.

    Both files are read once per content.
    """
    path = manifest.path.parent / RUN_RESULTS
    try:
        key = cache.known_key(path) or cache.learn_key(path, read_regular(path))
        name = f"{manifest.key}-{key}.invocation"
        found = cache.read(name, lambda records: _decode(records.header))
        if found is None:
            found = _read(read_regular(manifest.path), read_regular(path))
            cache.store(name, msgspec.msgpack.encode(found))
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return found if found.is_same else None


def _read(manifest: bytes, results: bytes) -> Invocation:
    wrote = msgspec.json.decode(manifest, type=_Manifest).metadata.invocation_id
    ran = msgspec.json.decode(results, type=_RunResults)
    is_same = wrote is not None and wrote == ran.metadata.invocation_id
    return Invocation(is_same=is_same, target=ran.args.target, variables=ran.args.vars)
