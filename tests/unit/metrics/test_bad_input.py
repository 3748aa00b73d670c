"""Whatever is wrong with a sink is one clear line in the log, and costs the task nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from airflow_dataops import metrics
from airflow_dataops.core.metrics.settings import MetricSettings, parse_sink
from tests.fakes.refusing_aws import refusing_aws
from tests.fakes.statsd_server import StatsdServer
from tests.receivers.otlp import OtlpReceiver
from tests.unit.metrics.pipelines import in_use, pipeline_to

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = MetricSettings(sinks=("test",), flush_seconds=0.05)
HERE = "tests.unit.metrics.own_sinks"


def said_about(address: str, caplog: pytest.LogCaptureFixture, patience: float = 30) -> str:
    """Count three times beside a sink that works; return the one line that was logged."""
    with StatsdServer() as server:
        healthy = f"dogstatsd://127.0.0.1:{server.port}"
        with in_use(pipeline_to(address, healthy, settings=SETTINGS)) as pipeline:
            for _ in range(3):
                metrics.count("orders")
                pipeline.flush(patience)
            assert server.wait_for("orders", 3) == 3
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("airflow")]
    (line,) = [line for line in lines if "works again" not in line]
    assert "\n" not in line
    start = f"Metrics sink {parse_sink(address)} does not work, "
    assert line.startswith(start)
    return line.removeprefix(start)


WITHOUT = "tasks go on without it: "


def test_an_unknown_sink(caplog: pytest.LogCaptureFixture) -> None:
    line = said_about("grafite://localhost:1", caplog)
    assert line.startswith(f"{WITHOUT}there is no sink 'grafite'. There are cloudwatch, ")


def test_an_unknown_host(caplog: pytest.LogCaptureFixture) -> None:
    line = said_about("statsd://no-such-host.invalid", caplog)
    assert line.startswith(f"{WITHOUT}gaierror: ")


@pytest.mark.parametrize("kind", ["otlp", "pushgateway"])
def test_a_port_that_nobody_listens_on(
    kind: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    option = f"state={tmp_path}/t.json" if kind == "pushgateway" else "timeout=1"
    line = said_about(f"{kind}://127.0.0.1:9?{option}", caplog)
    assert line.startswith(WITHOUT)
    assert "refused" in line


def test_a_host_that_does_not_answer(caplog: pytest.LogCaptureFixture) -> None:
    with OtlpReceiver() as receiver:
        receiver.take = lambda *_: time.sleep(1) or 200  # type: ignore[method-assign,func-returns-value]
        line = said_about(f"{receiver.address}?timeout=0.2", caplog)
    assert line.startswith(WITHOUT)
    assert "timeout" in line


def test_a_wrong_token(caplog: pytest.LogCaptureFixture) -> None:
    with OtlpReceiver(token="right") as receiver:
        address = receiver.address.replace("x:right@", "")
        line = said_about(address, caplog)
    assert line.startswith(WITHOUT)
    assert "401" in line


def test_aws_refuses_the_key(caplog: pytest.LogCaptureFixture) -> None:
    """The answer is AWS's own, from its documentation of common errors."""
    with refusing_aws() as url:
        line = said_about(f"cloudwatch://key:secret@?region=us-east-1&endpoint={url}", caplog)
    assert line.startswith(f"{WITHOUT}AWS refused the metrics: An error occurred (")
    assert "security token" in line


def test_a_sink_of_ones_own_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    line = said_about(f"import:{HERE}.Raising?colour=red", caplog)
    assert line == f"{WITHOUT}ZeroDivisionError: on purpose in red"


def test_a_sink_of_ones_own_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    line = said_about(f"import:{HERE}.Hanging", caplog, patience=1)
    assert line == f"{WITHOUT}no answer within 1 s"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module.Sink", "'no_such_module.Sink' cannot be imported: "),
        (f"{HERE}.Missing", f"'{HERE}.Missing' cannot be imported: "),
        (f"{HERE}.NoSink", f"'{HERE}.NoSink' is no sink: it needs `limit` and `send(batch)`"),
    ],
    ids=["module", "class", "protocol"],
)
def test_a_sink_of_ones_own_that_is_none(
    name: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert said_about(f"import:{name}", caplog).startswith(WITHOUT + message)


def test_a_folder_that_cannot_be_written_to(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    line = said_about(f"textfile://{tmp_path}/file/airflow.prom", caplog)
    assert line.startswith(WITHOUT)
    assert "FileExistsError" in line or "NotADirectoryError" in line
