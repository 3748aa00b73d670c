"""The methods of criteria: each finds nodes, and tells what else it could have found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airflow_dataops.core.selection.methods import config, files, labels, names, results, state
from airflow_dataops.core.selection.spec import MethodName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_dataops.core.selection.scope import Scope
    from airflow_dataops.core.selection.spec import Criterion

    Finder = Callable[[Scope, Criterion], Iterable[str]]


class Method(NamedTuple):
    """How a criterion is looked up.

    Attributes:
        find: yields the ids of matching nodes, some perhaps twice.
        known: yields the values that would have matched something, to propose them.
    """

    find: Finder
    known: Finder


def _nothing(scope: Scope, criterion: Criterion) -> Iterable[str]:
    """Propose nothing: the value was checked, and that it matches nothing is an answer."""
    return ()


def _by_name(kind: MethodName) -> Method:
    return Method(names.by_name_of(kind.value), names.known_names_of(kind.value))


METHODS = {
    MethodName.ACCESS: Method(labels.by_access, labels.known_access),
    MethodName.CONFIG: Method(config.by_config, config.known_config),
    MethodName.EXPOSURE: _by_name(MethodName.EXPOSURE),
    MethodName.FILE: Method(files.by_file, files.known_files),
    MethodName.FQN: Method(names.by_fqn, names.known_fqns),
    MethodName.GROUP: Method(labels.by_group, labels.known_groups),
    MethodName.METRIC: _by_name(MethodName.METRIC),
    MethodName.PACKAGE: Method(labels.by_package, labels.known_packages),
    MethodName.PATH: Method(files.by_path, files.known_paths),
    MethodName.RESOURCE_TYPE: Method(labels.by_resource_type, _nothing),
    MethodName.RESULT: Method(results.by_result, results.known_results),
    MethodName.SAVED_QUERY: _by_name(MethodName.SAVED_QUERY),
    MethodName.SEMANTIC_MODEL: _by_name(MethodName.SEMANTIC_MODEL),
    MethodName.SOURCE: Method(names.by_source, names.known_sources),
    MethodName.SOURCE_STATUS: Method(results.by_source_status, _nothing),
    MethodName.STATE: Method(state.by_state, _nothing),
    MethodName.TAG: Method(labels.by_tag, labels.known_tags),
    MethodName.TEST_NAME: Method(names.by_test_name, names.known_test_names),
    MethodName.TEST_TYPE: Method(labels.by_test_type, _nothing),
    MethodName.UNIT_TEST: _by_name(MethodName.UNIT_TEST),
    MethodName.VERSION: Method(labels.by_version, _nothing),
}
"""All methods but `selector`, which is a spec and not a look-up."""
