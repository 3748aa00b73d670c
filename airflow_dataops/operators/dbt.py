"""Nodes that only dbt can run: Cosmos's operators, taking turns at the warehouse's file."""

from __future__ import annotations

import re
import shlex
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowFailException
from cosmos.config import ProfileConfig
from cosmos.constants import InvocationMode
from cosmos.operators.local import (
    DbtRunLocalOperator,
    DbtSeedLocalOperator,
    DbtSnapshotLocalOperator,
    DbtTestLocalOperator,
)

from airflow_dataops.adapters.dbt_run_hooks import set_run_hooks
from airflow_dataops.adapters.local_files import read_regular
from airflow_dataops.core.deprecation import renamed
from airflow_dataops.core.model import NodeKind
from airflow_dataops.core.plan import TaskKind
from airflow_dataops.errors import RunError
from airflow_dataops.hooks.cosmos_telemetry import mute_cosmos
from airflow_dataops.operators.asked import Asked
from airflow_dataops.operators.dbt_checks import (
    check_listed,
    check_results,
    harmless,
    ls_command,
    selector_of,
)
from airflow_dataops.operators.deferring import filtered
from airflow_dataops.operators.warned import tell_warned
from airflow_dataops.planning.callbacks import callbacks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from airflow.sdk import BaseOperator, Context

    from airflow_dataops.core.execution.requests import RunRequest
    from airflow_dataops.core.model import Node
    from airflow_dataops.planning.callbacks import WarningCallback
    from airflow_dataops.planning.dbt_config import DbtConfig


mute_cosmos()

_JINJA = re.compile(r"\{[{%#]")


class InTurn(Asked):
    """Waits until no other task has the warehouse, where only one process may have it.

    dbt runs in a process of its own. DuckDB would refuse it while another task writes.
    """

    warehouse_conn_id: str
    log: Any
    select: Any
    compiled_vars: Mapping[str, Any] = {}
    """What the manifest was compiled with. It is no template: a manifest is data."""
    fingerprint: str | None = None
    """Tells one state of the nodes from the next, as in our own operators."""

    @classmethod
    def get_serialized_fields(cls) -> frozenset[str]:
        """Name what Airflow keeps of the operator in the serialized DAG."""
        fields: frozenset[str] = super().get_serialized_fields()  # type: ignore[misc]
        return fields | {"fingerprint"}

    def _request(self, context: Context) -> RunRequest:
        """Read what the run was asked for, dbt's vars too: dbt would render a template in one."""
        request = super()._request(context)
        given = request.values.variables
        for name, value in given.items():
            if isinstance(value, str) and _JINJA.search(value):
                raise AirflowFailException(
                    f"var {name!r} is {value!r}: dbt renders Jinja in its vars; give plain text."
                )
        self.vars = {**self.compiled_vars, **given} or None
        return request

    def _take_turn(self, context: Context, **arguments: Any) -> Any:
        """Run dbt when it is our turn."""
        with _turn(self.warehouse_conn_id):
            return super().execute(context, **arguments)  # type: ignore[misc]

    def _call(self, command: list[str], env: dict[str, str], cwd: str, **arguments: Any) -> Any:
        """Run one command of dbt."""
        return super().run_subprocess(command, env, cwd, **arguments)  # type: ignore[misc]

    def _check_place(
        self,
        command: list[str],
        env: dict[str, str],
        cwd: str,
        nodes: Sequence[Node],
        select: str,
        **arguments: Any,
    ) -> None:
        """Let dbt say that it would run these nodes alone, where the manifest has them."""
        listing = ls_command(command, select, nodes[0].kind)
        listed = self._call(listing, env, cwd, **arguments)
        self.handle_exception(listed)  # type: ignore[attr-defined]
        with final():
            check_listed(listed.full_output, nodes)

    def _show(self, context: Context, nodes: Sequence[str]) -> Any:
        """Log how dbt would be called."""
        command, _ = self.build_cmd(context, self.add_cmd_flags())  # type: ignore[attr-defined]
        self.log.info("Dry run: %s", shlex.join(command))
        return {"nodes": list(nodes), "status": "dry run"}


class _OfNodes(InTurn):
    """Runs nodes of a manifest, and nothing else."""

    warning_callbacks: Sequence[WarningCallback] = ()
    _chosen: tuple[Node, ...] = ()
    _results: Sequence[dict[str, Any]] = ()
    task_kind = TaskKind.BUILD

    def execute(self, context: Context, **arguments: Any) -> Any:
        """Run dbt when it is our turn, on the nodes that the run is for."""
        request = self._request(context)
        nodes = self._taking_part(self.task_kind, request, context)
        if not nodes:
            return {"nodes": list(self.nodes), "status": "not selected"}
        manifest = self._open()
        self._chosen = tuple(manifest.node(id_) for id_ in nodes)
        self.select = " ".join(map(selector_of, self._chosen))
        self._pass_on(request)
        if request.dry_run:
            return self._show(context, nodes)
        done = self._take_turn(context, **arguments)
        tell_warned(self.warning_callbacks, context, self._results)
        return done

    def run_subprocess(
        self, command: list[str], env: dict[str, str], cwd: str, **arguments: Any
    ) -> Any:
        """Run dbt after it has said that it will run our nodes alone; then see whether it did.

        What runs around a run is not repeated around each of its nodes.
        """
        set_run_hooks(Path(cwd), env)
        self._check_place(command, env, cwd, self._chosen, self.select, **arguments)
        command = [*command, *self._deferring(Path(cwd))]
        result = self._call(command, env, cwd, **arguments)
        if result.exit_code == 0:
            with final():
                ids = [node.id for node in self._chosen]
                self._results = check_results(Path(cwd) / "target", ids)
        return result

    def _deferring(self, folder: Path) -> list[str]:
        """Return the flags with which dbt reads what the DAG does not build from elsewhere.

        dbt, called for some nodes, takes all others for not selected: with `--favor-state` it gets
        a manifest with those alone that the DAG does not build.

        Args:
            folder: of this call, where the earlier manifest is put for dbt.
        """
        if self.deferral is None:
            return []
        state = folder / "dataops_state"
        state.mkdir(exist_ok=True)
        manifest = Path(self.deferral.manifest)
        if not self.deferral.favor_state:
            (state / "manifest.json").write_bytes(read_regular(manifest))
            return ["--defer", "--state", str(state)]
        away = [id_ for id_ in self._known() if self.deferral.leads_away(id_, self._narrowed)]
        filtered(manifest, state / "manifest.json", away)
        return ["--defer", "--state", str(state), "--favor-state"]

    def _known(self) -> list[str]:
        return list(self._open().project().nodes)

    def _pass_on(self, request: RunRequest) -> None:
        """Tell dbt what else the run was asked for."""


@contextmanager
def final() -> Iterator[None]:
    """Let what would go wrong again not be retried."""
    try:
        yield
    except RunError as error:
        raise AirflowFailException(str(error)) from error


def rendered(kind: Any) -> tuple[str, ...]:
    """Return the template fields of one of Cosmos's operators, but for `select`.

    The others are set by the author of the DAG, who may write Jinja. `select` names nodes, and
    what a manifest says is never rendered: it could read connections.
    """
    return tuple(name for name in kind.template_fields if name != "select")


def _turn(conn_id: str) -> AbstractContextManager[None]:
    exclusive = getattr(BaseHook.get_hook(conn_id), "exclusive", nullcontext)
    turn: AbstractContextManager[None] = exclusive()
    return turn


class CosmosRunOperator(_OfNodes, DbtRunLocalOperator):  # type: ignore[misc]
    """Runs `dbt run` for one model."""

    template_fields = rendered(DbtRunLocalOperator)

    def _pass_on(self, request: RunRequest) -> None:
        """Tell dbt the days; it heeds them where the strategy is `microbatch`."""
        if days := request.days:
            limits = ["--event-time-start", str(days.begin), "--event-time-end", str(days.end)]
            self.dbt_cmd_flags: list[str] = [*self.dbt_cmd_flags, *limits]


class CosmosSeedOperator(_OfNodes, DbtSeedLocalOperator):  # type: ignore[misc]
    """Runs `dbt seed` for one seed."""

    template_fields = rendered(DbtSeedLocalOperator)


class CosmosSnapshotOperator(_OfNodes, DbtSnapshotLocalOperator):  # type: ignore[misc]
    """Runs `dbt snapshot` for one snapshot."""

    template_fields = rendered(DbtSnapshotLocalOperator)


class CosmosTestOperator(_OfNodes, DbtTestLocalOperator):  # type: ignore[misc]
    """Runs `dbt test` for some tests."""

    template_fields = rendered(DbtTestLocalOperator)

    task_kind = TaskKind.TEST


_OPERATORS = {
    NodeKind.MODEL: CosmosRunOperator,
    NodeKind.SEED: CosmosSeedOperator,
    NodeKind.SNAPSHOT: CosmosSnapshotOperator,
    NodeKind.TEST: CosmosTestOperator,
}
_REFRESHED = frozenset({NodeKind.MODEL, NodeKind.SEED})
FULL_REFRESH = {"full_refresh": "{{ params.get('full_refresh', False) }}"}


def dbt_operator(
    kind: NodeKind,
    fqns: Sequence[tuple[str, ...]],
    dbt: DbtConfig,
    conn_id: str,
    arguments: dict[str, Any],
) -> BaseOperator:
    """Return the Cosmos operator that runs some nodes of one kind.

    Args:
        fqns: where dbt finds the nodes.
        conn_id: the warehouse, whose file (if it is one) other tasks queue for.
        arguments: arguments for the operator.
    """
    arguments = dict(arguments)
    # Cosmos reads the names of tests from dbt's log; we have them from its results.
    warning_callbacks = callbacks_of(arguments.pop("on_warning_callback", None))
    if kind in _REFRESHED:
        arguments = FULL_REFRESH | arguments
    select = " ".join(harmless(f"fqn:{'.'.join(fqn)}") for fqn in fqns)
    operator: Any = cosmos_operator(_OPERATORS[kind], select, dbt, conn_id, arguments)
    operator.warning_callbacks = warning_callbacks
    made: BaseOperator = operator
    return made


def cosmos_operator(
    kind: Any, select: str, dbt: DbtConfig, conn_id: str, arguments: dict[str, Any]
) -> BaseOperator:
    """Return an operator of Cosmos that calls dbt as it is configured."""
    arguments = {"dbt_executable_path": dbt.executable or _own_dbt()} | arguments
    operator: Any = kind(
        project_dir=dbt.project_dir,
        profile_config=ProfileConfig(
            profile_name=dbt.profile,
            target_name=dbt.target,
            profiles_yml_filepath=Path(dbt.profiles_dir or dbt.project_dir) / "profiles.yml",
        ),
        select=select,
        vars=dbt.vars or None,
        env=dbt.env or None,
        install_deps=False,
        emit_datasets=False,
        invocation_mode=InvocationMode.SUBPROCESS,
        **arguments,
    )
    operator.warehouse_conn_id = conn_id
    made: BaseOperator = operator
    return made


def _own_dbt() -> str:
    """Return the dbt beside Airflow's Python, which need not be on the path; else any dbt."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else "dbt"


__getattr__ = renamed(
    __name__,
    {
        "DbtRunOperator": "CosmosRunOperator",
        "DbtSeedOperator": "CosmosSeedOperator",
        "DbtSnapshotOperator": "CosmosSnapshotOperator",
        "DbtTestOperator": "CosmosTestOperator",
    },
)
