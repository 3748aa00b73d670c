"""A kind of manifest is a value: a reader, from the bytes of a file to what is made of it.

To add a kind, write a `core.ports.Reader` and enter it under `airflow_dataops.readers` in your
package's entry points; the files of the kind `sqlmesh` are called `<anything>.sqlmesh.json`,
`.yaml` or `.yml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.files import DBT, PIPELINE, named_kind
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.model import Manifest
    from airflow_dataops.core.ports import Reader


class DbtReader:
    """Reads dbt's `manifest.json`."""

    kind = DBT

    def read(self, data: bytes, *, source: str) -> Manifest:
        """Return the project and its code; see `Reader`."""
        from airflow_dataops.core.manifests.dbt.decode import decode
        from airflow_dataops.core.manifests.dbt.read import read_dbt

        file = decode(data, source)
        # The file may be the largest thing in memory, unless the caller keeps it.
        del data
        return read_dbt(file, source)


def reader_of(name: str) -> Reader:
    """Return what reads a file of that name. Raises `ConfigError` where it cannot be loaded."""
    if (kind := named_kind(name)) is None:
        return DbtReader()
    if kind == PIPELINE:
        raise ConfigError(f"{name} is a pipeline in YAML, for load_dags; it holds no project")
    from airflow_dataops.core.manifests.plugged import plugged_reader

    return plugged_reader(kind)
