"""Snapshots: type 2 histories, as dbt 1.9 configures them and as older releases did.

Source: https://docs.getdbt.com/reference/snapshot-configs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.manifests.dbt.columns import read_columns
from airflow_dataops.core.manifests.dbt.hooks import read_hooks
from airflow_dataops.core.manifests.dbt.names import expressions
from airflow_dataops.core.manifests.dbt.unsupported import no_sql, physical, tied
from airflow_dataops.core.manifests.show import show
from airflow_dataops.core.model import Code, HardDeletes, SnapshotColumns, SnapshotSpec

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.context import Entry
    from airflow_dataops.core.manifests.dbt.settings import Settings

ALL = ("all",)


def read_snapshot(entry: Entry) -> SnapshotSpec:
    """Read how a history is kept."""
    settings = entry.settings
    hooks = read_hooks(settings)
    spec = SnapshotSpec(
        strategy=settings.text("strategy") or "",
        unique_key=settings.texts("unique_key"),
        updated_at=settings.text("updated_at"),
        check_cols=settings.texts("check_cols"),
        hard_deletes=_hard_deletes(settings),
        columns=_columns(settings),
        valid_to_current=settings.text("dbt_valid_to_current"),
        pre_hooks=hooks.pre,
        post_hooks=hooks.post,
        described=read_columns(entry),
        unsupported=(
            *no_sql(entry),
            *_reasons(settings),
            *physical(entry, "snapshot"),
            *hooks.unsupported(),
        ),
        tied=tied(entry),
    )
    _check(spec, settings)
    return spec


def read_code(entry: Entry) -> Code | None:
    """Return a compiled query; None where there is none."""
    node = entry.node
    if not node.compiled_code:
        return None
    return Code(sql=node.compiled_code, slots=node.dataops_slots, refreshed=node.dataops_refreshed)


def _check(spec: SnapshotSpec, settings: Settings) -> None:
    """Complain of what dbt would refuse as well."""
    if not spec.strategy:
        settings.complain("a snapshot needs config.strategy; write timestamp or check.")
    if not spec.unique_key:
        settings.complain(
            "a snapshot needs config.unique_key; write a column's name or a list of them."
        )
    if spec.strategy == "timestamp" and not spec.updated_at:
        settings.complain(
            "a timestamp snapshot needs config.updated_at; write the column with the time of "
            "change."
        )
    check_cols = settings.raw("check_cols")
    if spec.strategy == "check" and (
        not spec.check_cols or (isinstance(check_cols, str) and spec.check_cols != ALL)
    ):
        settings.complain(
            f"a check snapshot has {show(check_cols)} for config.check_cols; write all, or a "
            "list of columns."
        )


def _hard_deletes(settings: Settings) -> HardDeletes:
    legacy = settings.flag("invalidate_hard_deletes")
    if legacy is not None and settings.raw("hard_deletes") is not None:
        settings.complain(
            "config has both hard_deletes and invalidate_hard_deletes; keep hard_deletes."
        )
    if legacy:
        return HardDeletes.INVALIDATE
    return HardDeletes(settings.choice("hard_deletes", HardDeletes, HardDeletes.IGNORE))


def _columns(settings: Settings) -> SnapshotColumns:
    names = {}
    for field in SnapshotColumns.__struct_fields__:
        name = settings.mapping("snapshot_meta_column_names").get(f"dbt_{field}")
        if isinstance(name, str) and name:
            names[field] = name
        elif name is not None:
            settings.complain(
                f"config.snapshot_meta_column_names has {show(name)} for dbt_{field}; write a "
                "column's name."
            )
    return SnapshotColumns(**names)


def _reasons(settings: Settings) -> list[str]:
    reasons = []
    strategy = settings.raw("strategy")
    if isinstance(strategy, str) and strategy not in ("timestamp", "check", ""):
        reasons.append(f"the snapshot strategy `{strategy}`")
    if expressions(settings.texts("unique_key")):
        reasons.append("an SQL expression as unique_key")
    if expressions(settings.texts("check_cols")):
        reasons.append("an SQL expression among check_cols")
    return reasons
