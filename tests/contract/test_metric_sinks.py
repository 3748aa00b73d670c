"""What every sink must do: carry the same numbers and tags to a real receiver."""

from __future__ import annotations

import multiprocessing
import time
from typing import TYPE_CHECKING

import pytest

from airflow_dataops import metrics
from airflow_dataops.adapters.sinks import KINDS, open_sink
from airflow_dataops.core.metrics.settings import parse_sink
from airflow_dataops.errors import ConfigError
from tests.receivers.cloudwatch import CloudWatchReceiver, EmfReceiver
from tests.receivers.datagrams import DogStatsdReceiver, StatsdReceiver
from tests.receivers.numbers import key
from tests.receivers.otlp import OtlpReceiver
from tests.receivers.prometheus import HAS_PROMETHEUS, GatewayReceiver, TextfileReceiver
from tests.unit.metrics.pipelines import in_use, pipeline_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.receivers.numbers import Numbers, Receiver

RECEIVERS = ["statsd", "dogstatsd", "otlp", "cloudwatch", "emf", "textfile", "pushgateway"]


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    """Each receiver in turn."""
    if request.param == "pushgateway" and not HAS_PROMETHEUS:
        pytest.skip("Debian's prometheus and prometheus-pushgateway are not installed")
    if request.param == "cloudwatch":
        pytest.importorskip("moto.server")
    made: dict[str, Callable[[], Receiver]] = {
        "statsd": StatsdReceiver,
        "dogstatsd": DogStatsdReceiver,
        "otlp": OtlpReceiver,
        "cloudwatch": CloudWatchReceiver,
        "emf": lambda: EmfReceiver(tmp_path),
        "textfile": lambda: TextfileReceiver(tmp_path),
        "pushgateway": lambda: GatewayReceiver(tmp_path),
    }
    with made[request.param]() as running:
        yield running


def numbers_when(receiver: Receiver, complete: Callable[[Numbers], bool]) -> Numbers:
    """The receiver's numbers once they are complete; datagrams take a moment."""
    deadline = time.monotonic() + 5
    while not complete(found := receiver.numbers()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def test_counters_gauges_and_timings_arrive_with_their_tags(receiver: Receiver) -> None:
    """In two batches, so that sums are sums and not the last value."""
    tags = {"country": "de", "tier": "gold"}
    with in_use(pipeline_to(receiver.address)):
        for round_ in (1, 2):
            metrics.count("orders.loaded", 21, tags=tags)
            metrics.count("orders.loaded", 1, tags={"country": "fr"})
            metrics.gauge("stock.level", 7 * round_, tags=tags)
            metrics.timing("load.seconds", 1.5, tags=tags)
            metrics.timing("load.seconds", 0.25, tags=tags)
            assert metrics.flush(10) is True
    found = numbers_when(receiver, lambda found: sum(found.counts.values()) >= 4)
    assert dict(found.counters) == {
        key("orders.loaded", tags): 42,
        key("orders.loaded", {"country": "fr"}): 2,
    }
    assert found.gauges == {key("stock.level", tags): 14}
    assert found.counts == {key("load.seconds", tags): 4}
    assert found.seconds[key("load.seconds", tags)] == pytest.approx(3.5)


def test_many_values_of_a_timing_are_all_counted(receiver: Receiver) -> None:
    """More than any wire format takes at once; some sinks send a sample with its rate."""
    with in_use(pipeline_to(receiver.address)):
        for number in range(1000):
            metrics.timing("load.seconds", number / 1000)
        assert metrics.flush(10) is True
    found = numbers_when(receiver, lambda found: sum(found.counts.values()) > 999.9)
    assert found.counts[key("load.seconds", {})] == pytest.approx(1000, abs=0.01)


def test_hostile_names_and_tags_stay_one_series(receiver: Receiver) -> None:
    with in_use(pipeline_to(receiver.address)):
        metrics.count(
            "a:1|c\nfake:9|c#x,y{z}",
            3,
            tags={"k\n|#,:=": 'v"\n\\,|#{}', "long": "x" * 10_000, "1digit": "é" * 50},
        )
        assert metrics.flush(10) is True
    found = numbers_when(receiver, lambda found: len(found.counters) > 0)
    (((name, tags), value),) = found.counters.items()
    assert (name, value) == ("a_1_c_fake_9_c_x_y_z_", 3)
    assert len(tags) == 3
    assert all(len(text) <= 128 for pair in tags for text in pair)


def test_several_processes_at_once_are_added_up(receiver: Receiver) -> None:
    """Tasks are processes; none may overwrite what another one sent."""
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=_report, args=(receiver.address, n)) for n in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 4
    found = numbers_when(receiver, lambda found: sum(found.counts.values()) > 199.9)
    assert found.total("orders.loaded") == 4 * 50
    assert found.counts[key("load.seconds", {})] == pytest.approx(4 * 50)


def _report(address: str, number: int) -> None:
    with in_use(pipeline_to(address)):
        for _ in range(5):
            for _ in range(10):
                metrics.count("orders.loaded", tags={"worker": str(number)})
                metrics.timing("load.seconds", 0.5)
            assert metrics.flush(30) is True


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_option_is_refused(kind: str) -> None:
    path = "/tmp/x.prom" if kind == "textfile" else ""
    with pytest.raises(ConfigError, match=rf"sink {kind} has no option 'colour'"):
        open_sink(parse_sink(f"{kind}://{path}?colour=red"))


def test_an_unknown_sink_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"there is no sink 'grafite'. There are cloudwatch, "):
        open_sink(parse_sink("grafite://localhost"))
