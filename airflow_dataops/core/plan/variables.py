"""Values that a DAG gives to dbt, beside those that its manifest was compiled with.

SQL runs with the values of the compilation. Were dbt given others, one DAG would run with two.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.core.model import Compilation, Invocation


UNRECORDED = (
    "the manifest does not tell for which target, vars and environment variables it was compiled, "
    "as one of dbt's own does not: SQL runs as it was compiled, and dbt is called with those of "
    "DbtConfig. See to it that they are the same, or let `airflow-dataops compile` write it"
)


def check_run_vars(variables: Mapping[str, Any], compilation: Compilation | None) -> None:
    """Refuse vars of the run that compiled SQL has no places for.

    Raises:
        ConfigError: naming the var, and what to compile.
    """
    known = compilation.runtime_vars if compilation else ()
    for name in sorted(variables):
        if name not in known and (compilation is None or _given(compilation, "var", name)):
            is_told = compilation is not None
            values = ", ".join(_given(compilation, "var", name)) if compilation else ""
            raise ConfigError(
                f"vars: {name!r} is not a var of the run in this manifest"
                + (f", which was compiled with {values}" if is_told else "")
                + f". Compile it by `airflow-dataops compile --runtime-vars {name}`, or let dbt "
                "run all of it: engine='dbt'."
            )


def check_given(
    compilation: Compilation | None,
    *,
    target: str,
    variables: Mapping[str, Any],
    env: Mapping[str, str],
    run_vars: Mapping[str, Any],
    is_moved: bool,
) -> None:
    """Refuse to call dbt with other values than the manifest was compiled with.

    Args:
        variables, env: of `DbtConfig`.
        run_vars: vars of the run, which dbt is given as well.
        is_moved: whether tables are elsewhere than in the manifest, so in another target.

    Raises:
        ConfigError: naming both values.
    """
    if twice := sorted(variables.keys() & run_vars.keys()):
        raise ConfigError(
            f"vars and DbtConfig(vars=...) both set {twice[0]!r}; keep the one in vars."
        )
    if compilation is None:
        return
    if compilation.target not in (None, target) and not is_moved:
        raise ConfigError(
            f"DbtConfig(target={target!r}): the manifest was compiled for target "
            f"{compilation.target!r}, so SQL and dbt would build in two places. Use that target, "
            f"or compile with --target {target}."
        )
    for name, value in sorted(variables.items()):
        _check_variable(compilation, name, value)
    for name, text in sorted(env.items()):
        found = _given(compilation, "env_var", name)
        if found and found != (json.dumps(digest_of(text)),):
            raise ConfigError(
                f"DbtConfig(env=...): {name} is {text!r}, and the manifest was compiled with "
                f"another value (its digest is {', '.join(found)}). Set that value, or compile "
                "with this one."
            )


def check_unrecorded(
    invocation: Invocation | None, *, target: str, variables: Mapping[str, Any], is_moved: bool
) -> None:
    """Refuse to call dbt otherwise than it was called when it compiled the manifest itself.

    Args:
        invocation: that call; None where nobody knows.
        target, variables: of `DbtConfig`.
        is_moved: whether tables are elsewhere than in the manifest, so in another target.

    Raises:
        ConfigError: the values differ, or vars are set and nobody can tell.
    """
    remedy = "or let `airflow-dataops compile` write the manifest, or dbt run all: engine='dbt'"
    if invocation is None:
        if variables:
            raise ConfigError(
                f"DbtConfig(vars=...) sets {', '.join(sorted(variables))}, and the manifest does "
                "not tell the vars that its SQL was compiled with. Put the run_results.json of "
                f"that dbt compile beside it, {remedy}."
            )
        return
    if invocation.target not in (None, target) and not is_moved:
        raise ConfigError(
            f"DbtConfig(target={target!r}): dbt compiled the manifest for target "
            f"{invocation.target!r}, so SQL and dbt would build in two places. Use that target, "
            f"or compile with --target {target}."
        )
    for name in sorted(variables.keys() | invocation.variables.keys()):
        there, here = (_shown(each, name) for each in (invocation.variables, variables))
        if there != here:
            raise ConfigError(
                f"DbtConfig(vars=...): {name!r} is {here}, and dbt compiled the manifest with it "
                f"{there}, so SQL and dbt would run with two values. Set that value, {remedy}."
            )


def _shown(variables: Mapping[str, Any], name: str) -> str:
    if name not in variables:
        return "not set"
    return json.dumps(variables[name], sort_keys=True, default=str)


def digest_of(value: str) -> str:
    """Return what tells an environment variable's value, which may be a secret, from others."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]


def _check_variable(compilation: Compilation, name: str, value: Any) -> None:
    if name in compilation.runtime_vars:
        raise ConfigError(
            f"DbtConfig(vars=...): {name!r} is a var of the run; set it in vars= of the DAG, for "
            "SQL and dbt alike."
        )
    said = json.dumps(value, sort_keys=True, default=str)
    found = _given(compilation, "var", name)
    if not found and name in compilation.variables:
        found = (json.dumps(compilation.variables[name], sort_keys=True, default=str),)
    if found and found != (said,):
        raise ConfigError(
            f"DbtConfig(vars=...): {name!r} is {said}, and the manifest was compiled with "
            f"{', '.join(found)}, so SQL and dbt would run with two values. Compile it with this "
            f"one, or with --runtime-vars {name} and set it in vars= of the DAG."
        )


def _given(compilation: Compilation, kind: str, name: str) -> tuple[str, ...]:
    return compilation.given.get(f"{kind}:{name}", ())
