"""Seeds: CSV files that become tables. Source: https://docs.getdbt.com/reference/seed-configs."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.columns import read_columns
from airflow_dataops.core.manifests.dbt.hooks import read_hooks
from airflow_dataops.core.manifests.dbt.names import tidy
from airflow_dataops.core.manifests.dbt.unsupported import physical
from airflow_dataops.core.manifests.show import show
from airflow_dataops.core.model import Code, SeedSpec

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.context import Entry

_INSTALLED = "dbt_packages"


def read_seed(entry: Entry) -> SeedSpec:
    """Read how a seed is loaded."""
    settings = entry.settings
    hooks = read_hooks(settings)
    return SeedSpec(
        file=_file(entry),
        delimiter=settings.text("delimiter") or ",",
        column_types=_column_types(entry),
        quote_columns=settings.flag("quote_columns"),
        full_refresh=settings.flag("full_refresh"),
        pre_hooks=hooks.pre,
        post_hooks=hooks.post,
        described=read_columns(entry),
        unsupported=(*physical(entry, "seed"), *hooks.unsupported()),
    )


def read_seed_code(entry: Entry) -> Code | None:
    """Return the text of a seed's file, where the manifest carries it."""
    csv = entry.node.dataops_csv
    return None if csv is None else Code(csv=csv)


def _file(entry: Entry) -> str:
    """Return the file's path in the dbt project.

    A package lies in a folder of the project, of which `root_path` has the end: it is
    absolute on the machine that dbt ran on.
    """
    node = entry.node
    path = tidy(node.original_file_path)
    if node.package_name == entry.context.root:
        return path
    root = PureWindowsPath(node.root_path or f"{_INSTALLED}/{node.package_name}")
    return "/".join((*root.parts[-2:], path))


def _column_types(entry: Entry) -> dict[str, str]:
    """Return SQL types by column: those inferred, over them those configured.

    dbt looks them up by the name as it stands in the file, capitals and all.
    """
    configured = entry.settings.mapping("column_types")
    types: dict[str, str] = {}
    for name, type_ in configured.items():
        if isinstance(type_, str):
            types[name] = type_
        else:
            entry.settings.complain(
                f"config.column_types has {show(type_)} for {name}; write an SQL type as text."
            )
    inferred = entry.node.dataops_column_types or {}
    if inferred and (missing := sorted(types.keys() - inferred.keys())):
        entry.settings.warn(
            f"config.column_types names {', '.join(missing)}, and no column of the file is called "
            "so, letter by letter; dbt pays no heed to it"
        )
    return inferred | types
