"""What was recorded while dbt rendered a project, by node, and what to tell of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.manifests.dbt.macros import Macros
from airflow_dataops.core.manifests.dbt.run_hooks import read_outcomes
from airflow_dataops.core.manifests.dbt.touched import Kind, reasons, words
from airflow_dataops.core.manifests.dbt.wire import DependsOn, Macro

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_dataops.adapters.dbt_recording import Recorder

_GIVEN = {
    Kind.TARGET: "of the target",
    Kind.ENV_VAR: "of environment variables",
}
_NAMED = 3


def touched_by_node(manifest: dict[str, Any], recorder: Recorder) -> dict[str, list[str]]:
    """Return what each node touched; what a YAML file did counts for all that it describes.

    Where nothing could be recorded, the words in the code are what there is.

    Args:
        manifest: as dbt writes it, with all code.
    """
    hooks = [id_ for id_, node in manifest["nodes"].items() if _is_hook(node)]
    named = macros_of(manifest) if recorder.blind or hooks else None
    found = {}
    for id_, node in {**manifest["nodes"], **manifest["sources"]}.items():
        mine = set(recorder.touched.get(id_, ()))
        for file in _files(node):
            mine |= {each for each in recorder.touched.get(file, ()) if reasons([each])}
        for value in _texts(_configured(node, recorded=named is None)):
            mine.update(words(value))
        called = (node.get("depends_on") or {}).get("macros") or []
        if named is not None and recorder.blind:
            mine.update(named.touched(node.get("raw_code") or "", called))
        if named is not None and _is_hook(node):
            mine.update(read_outcomes(node.get("raw_code") or "", named.behind(called)))
        if mine:
            found[id_] = sorted(mine)
    return found


def said(touched: Mapping[str, list[str]], recorder: Recorder) -> Iterator[str]:
    """Say what stays as it was at the compilation, and what only dbt can run."""
    if recorder.blind:
        yield (
            "what rendering touches could not be recorded, so it was told from the words in the "
            f"code, and more nodes than need be may go to dbt ({recorder.blind})"
        )
    by_kind: dict[str, dict[str, None]] = defaultdict(dict)
    asking = []
    for id_, mine in touched.items():
        if reasons(mine):
            asking.append(id_)
        for each in mine:
            kind, _, name = each.partition(":")
            by_kind[kind][name] = None
    for kind, of in _GIVEN.items():
        if kind in by_kind:
            yield f"the manifest holds the values {of} that it was compiled with: " + _some(
                sorted(by_kind[kind])
            )
    if asking:
        yield (
            f"{len(asking)} nodes cannot run from compiled SQL, for their SQL depends on what is "
            f"so when it is rendered; the plan gives them to dbt, each with the reason: "
            f"{_some(asking)}"
        )


def _is_hook(node: Mapping[str, Any]) -> bool:
    return str(node["resource_type"]) == "operation"


def macros_of(manifest: dict[str, Any]) -> Macros:
    """Return what can be told from the words in a manifest's macros."""
    macros = {
        id_: Macro(
            name=macro["name"],
            package_name=macro["package_name"],
            macro_sql=macro["macro_sql"],
            depends_on=DependsOn(macros=macro["depends_on"]["macros"]),
        )
        for id_, macro in manifest["macros"].items()
    }
    metadata = manifest["metadata"]
    return Macros(macros, root=metadata["project_name"], adapter=metadata["adapter_type"])


def _files(node: Mapping[str, Any]) -> Iterator[str]:
    if node.get("patch_path"):
        yield node["patch_path"]
    yield f"{node['package_name']}://{node['original_file_path']}"


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a configuration."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _configured(node: Mapping[str, Any], *, recorded: bool) -> Any:
    """Return the configuration, without the parts that are rendered as code is, and recorded."""
    config = node.get("unrendered_config") or {}
    rendered = ("where",) if recorded and node["resource_type"] == "test" else ()
    return {name: value for name, value in config.items() if name not in rendered}


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
