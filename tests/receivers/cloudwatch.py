"""CloudWatch as moto has it, read back through AWS's API; and its embedded metric format."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.receivers.numbers import Numbers, key

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = "Test/Metrics"


class CloudWatchReceiver:
    """Moto's server; the client is boto3's."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    @property
    def url(self) -> str:
        host, port = self._server.get_host_and_port()
        return f"http://{host}:{port}"

    @property
    def address(self) -> str:
        return (
            f"cloudwatch://key:secret@?region=us-east-1&endpoint={self.url}&namespace={NAMESPACE}"
        )

    def numbers(self) -> Numbers:
        import boto3

        client = boto3.client(
            "cloudwatch",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        found = Numbers()
        # Moto lists a metric once per datum.
        listed: dict[str, dict[str, Any]] = {}
        for page in client.get_paginator("list_metrics").paginate(Namespace=NAMESPACE):
            listed |= {json.dumps(metric, sort_keys=True): metric for metric in page["Metrics"]}
        for metric in listed.values():
            _read(client, metric, found)
        return found

    def __enter__(self) -> Self:
        self._server.start()
        # Moto's backends are those of the process; other tests may have left something.
        httpx.post(f"{self.url}/moto-api/reset", trust_env=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


def _read(client: Any, metric: dict[str, Any], found: Numbers) -> None:
    now = datetime.now(UTC)
    answer = client.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric["MetricName"],
        Dimensions=metric["Dimensions"],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=7200,
        Statistics=["Sum", "SampleCount", "Maximum"],
    )
    series = key(metric["MetricName"], {d["Name"]: d["Value"] for d in metric["Dimensions"]})
    for point in answer["Datapoints"]:
        if point["Unit"] == "Seconds":
            found.counts[series] += point["SampleCount"]
            found.seconds[series] += point["Sum"]
        elif point["Unit"] == "Count":
            found.counters[series] += point["Sum"]
        else:
            found.gauges[series] = point["Maximum"]


class EmfReceiver:
    """Reads the lines as the CloudWatch agent would."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "emf.log"

    @property
    def address(self) -> str:
        return f"emf://{self._file}?namespace={NAMESPACE}"

    def numbers(self) -> Numbers:
        found = Numbers()
        for line in self._file.read_text().splitlines() if self._file.exists() else ():
            document = json.loads(line)
            (directive,) = document["_aws"]["CloudWatchMetrics"]
            assert directive["Namespace"] == NAMESPACE
            tags = {name: document[name] for name in directive["Dimensions"][0]}
            for metric in directive["Metrics"]:
                _take(key(metric["Name"], tags), metric["Unit"], document[metric["Name"]], found)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


def _take(series: Any, unit: str, value: Any, found: Numbers) -> None:
    if unit == "Count":
        found.counters[series] += value
    elif unit == "Seconds" and isinstance(value, dict):
        found.counts[series] += value["Count"]
        found.seconds[series] += value["Sum"]
    elif unit == "Seconds":
        found.counts[series] += len(value)
        found.seconds[series] += sum(value)
    else:
        found.gauges[series] = value
