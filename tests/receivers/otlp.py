"""An OTLP endpoint: decodes the protobuf and adds up delta sums."""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.receivers.numbers import Numbers, key

_DELTA = 1  # opentelemetry/proto/metrics/v1/metrics.proto, AggregationTemporality


class OtlpReceiver:
    """Answers 200 to whom sends the token, 401 to others."""

    def __init__(self, token: str = "") -> None:
        self._numbers = Numbers()
        self._lock = threading.Lock()
        self._latest: defaultdict[Any, int] = defaultdict(int)
        self.token = token
        self.path = "/v1/metrics"
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                status = receiver.take(self.path, self.headers.get("Authorization", ""), body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def address(self) -> str:
        login = f"x:{self.token}@" if self.token else ""
        return f"otlp://{login}127.0.0.1:{self._server.server_port}"

    def take(self, path: str, authorization: str, body: bytes) -> int:
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
            ExportMetricsServiceRequest,
        )

        if path != self.path:
            return 404
        if self.token and authorization != f"Bearer {self.token}":
            return 401
        request = ExportMetricsServiceRequest()
        request.ParseFromString(body)
        with self._lock:
            for resource in request.resource_metrics:
                names = {attribute.key for attribute in resource.resource.attributes}
                assert {"service.name", "service.instance.id"} <= names
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        self._add(metric)
        return 200

    def _add(self, metric: Any) -> None:
        kind = metric.WhichOneof("data")
        data = getattr(metric, kind)
        assert kind == "gauge" or data.aggregation_temporality == _DELTA
        for point in data.data_points:
            tags = {pair.key: pair.value.string_value for pair in point.attributes}
            assert point.time_unix_nano >= point.start_time_unix_nano
            series = key(metric.name, tags)
            if kind == "histogram":
                assert sum(point.bucket_counts) == point.count
                self._numbers.counts[series] += point.count
                self._numbers.seconds[series] += point.sum
            elif kind == "sum":
                assert data.is_monotonic
                self._numbers.counters[series] += getattr(point, point.WhichOneof("value"))
            else:
                self._numbers.gauges[series] = getattr(point, point.WhichOneof("value"))

    def numbers(self) -> Numbers:
        with self._lock:
            return self._numbers

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
