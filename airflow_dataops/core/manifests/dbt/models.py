"""Models: what the SQL or Python of a file becomes.

Source: https://docs.getdbt.com/docs/build/incremental-strategy for incremental ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.core.manifests.dbt.columns import read_columns
from airflow_dataops.core.manifests.dbt.contracts import (
    contract_reasons,
    contract_ties,
    read_contract,
)
from airflow_dataops.core.manifests.dbt.hooks import Hooks, has_jinja, read_hooks
from airflow_dataops.core.manifests.dbt.microbatch import (
    MICROBATCH,
    microbatch_reasons,
    microbatch_ties,
    read_microbatch,
)
from airflow_dataops.core.manifests.dbt.names import expressions
from airflow_dataops.core.manifests.dbt.unsupported import (
    MATERIALIZATIONS,
    ONE_RENDERING,
    no_sql,
    physical,
    strategies,
    tied,
)
from airflow_dataops.core.manifests.show import show
from airflow_dataops.core.model import Code, Incremental, ModelContract, ModelSpec, SchemaChange

if TYPE_CHECKING:
    from airflow_dataops.core.manifests.dbt.context import Entry
    from airflow_dataops.core.manifests.dbt.settings import Settings

INCREMENTAL = "incremental"


class _Configured(NamedTuple):
    """What a model's configuration alone tells."""

    materialized: str
    incremental: Incremental | None
    full_refresh: bool | None
    hooks: Hooks


def read_model(entry: Entry) -> ModelSpec:
    """Read how a model is built."""
    materialized, incremental, full_refresh, hooks = entry.settings.once(_configured)
    contract = None if materialized == "ephemeral" else read_contract(entry)
    reasons = _reasons(entry, materialized, incremental, contract)
    if materialized != "ephemeral":
        reasons += hooks.unsupported()
    return ModelSpec(
        materialized=materialized,
        language=entry.node.language or "sql",
        incremental=incremental,
        full_refresh=full_refresh,
        pre_hooks=hooks.pre,
        post_hooks=hooks.post,
        described=read_columns(entry),
        contract=None if reasons else contract,
        unsupported=tuple(reasons),
        tied=(*tied(entry), *contract_ties(contract), *microbatch_ties(incremental)),
    )


def _configured(settings: Settings) -> _Configured:
    materialized = settings.text("materialized") or "view"
    return _Configured(
        materialized=materialized,
        incremental=_incremental(settings) if materialized == INCREMENTAL else None,
        full_refresh=settings.flag("full_refresh"),
        hooks=read_hooks(settings),
    )


def read_model_code(entry: Entry) -> Code | None:
    """Return a model's SQL; None for Python, for ephemeral ones and where there is none."""
    node = entry.node
    materialized = entry.settings.raw("materialized")
    if node.language not in (None, "sql") or materialized == "ephemeral":
        return None
    if not node.compiled_code:
        return None
    later = _incremental_code(entry) if materialized == INCREMENTAL else None
    return Code(
        sql=node.compiled_code,
        incremental_sql=later,
        slots=node.dataops_slots,
        refreshed=node.dataops_refreshed,
    )


def _incremental(settings: Settings) -> Incremental:
    strategy = settings.text("incremental_strategy")
    predicates = settings.texts("predicates") or settings.texts("incremental_predicates")
    return Incremental(
        strategy=None if strategy == "default" else strategy,
        unique_key=settings.texts("unique_key"),
        on_schema_change=_schema_change(settings),
        merge_update_columns=settings.texts("merge_update_columns"),
        merge_exclude_columns=settings.texts("merge_exclude_columns"),
        predicates=predicates,
        microbatch=read_microbatch(settings) if strategy == MICROBATCH else None,
    )


def _schema_change(settings: Settings) -> SchemaChange:
    """Read `on_schema_change`. Like dbt, take a word that is none of the four for `ignore`."""
    value = settings.raw("on_schema_change")
    if value is None or value in tuple(SchemaChange):
        return SchemaChange(value or SchemaChange.IGNORE)
    accepted = ", ".join(SchemaChange)
    settings.warn(
        f"on_schema_change is {show(value)}, which dbt takes for ignore; it knows {accepted}"
    )
    return SchemaChange.IGNORE


def _reasons(
    entry: Entry,
    materialized: str,
    incremental: Incremental | None,
    contract: ModelContract | None,
) -> list[str]:
    if materialized == "ephemeral":
        return []
    language = entry.node.language or "sql"
    if language != "sql":
        return [f"a {language.capitalize()} model"]
    reasons = no_sql(entry)
    if materialized not in MATERIALIZATIONS:
        return [*reasons, f"the materialization `{materialized}`"]
    reasons += [*physical(entry, materialized), *contract_reasons(contract, entry.context.adapter)]
    if incremental:
        reasons += _incremental_reasons(incremental, entry.context.adapter)
        reasons += microbatch_reasons(entry, incremental)
        if entry.node.compiled_code and _incremental_code(entry) is None:
            reasons.append(ONE_RENDERING)
        if "_dbt_max_partition" in (entry.node.compiled_code or ""):
            reasons.append("the script variable _dbt_max_partition")
    return reasons


def _incremental_reasons(incremental: Incremental, adapter: str | None) -> list[str]:
    reasons = []
    if incremental.strategy not in (None, MICROBATCH, *strategies(adapter)):
        reasons.append(f"the incremental strategy `{incremental.strategy}`")
    if expressions(incremental.unique_key):
        reasons.append("an SQL expression as unique_key")
    if expressions((*incremental.merge_update_columns, *incremental.merge_exclude_columns)):
        reasons.append("an SQL expression among the columns to merge")
    if incremental.merge_update_columns and incremental.merge_exclude_columns:
        reasons.append("both merge_update_columns and merge_exclude_columns")
    if any(has_jinja(predicate) for predicate in incremental.predicates):
        reasons.append("Jinja in incremental_predicates")
    return reasons


def _incremental_code(entry: Entry) -> str | None:
    """Return the code for later builds; None where the manifest has that of first ones only."""
    node = entry.node
    if node.compiled_code_incremental is not None:
        return node.compiled_code_incremental
    if entry.context.ours:
        # Without raw code and macros, there is no telling what it would be.
        return None
    if entry.context.macros.renders_twice(node.raw_code or "", entry.called_macros()):
        return None
    return node.compiled_code
