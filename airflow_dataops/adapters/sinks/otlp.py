"""OpenTelemetry over HTTP (OTLP), through the official exporter.

Sums are deltas: each task is a process of its own, and what starts anew with every task has no
meaning as a running total. A collector makes totals of them (`deltatocumulative`).
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow_dataops.adapters.sinks.options import check, options_of, seconds_of
from airflow_dataops.core.metrics.batch import BUCKETS
from airflow_dataops.core.metrics.catalogue import CATALOGUE
from airflow_dataops.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.metrics.batch import Batch, Series, Timing
    from airflow_dataops.core.metrics.settings import SinkSpec

_PORT = 4318
_PATH = "/v1/metrics"
_KNOWN = {metric.name: metric for metric in CATALOGUE}
_LOGGER = "opentelemetry.exporter.otlp.proto.http.metric_exporter"


class OtlpSink:
    """Exports delta sums, gauges and histograms."""

    limit = 2000

    def __init__(self, endpoint: str, headers: dict[str, str], timeout: float, name: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.resources import Resource

        self._session = _session()
        self._exporter = OTLPMetricExporter(
            endpoint=endpoint, headers=headers, timeout=timeout, session=self._session
        )
        instance = {"service.name": name, "service.instance.id": str(uuid4())}
        self._resource = Resource(instance)
        self._since = time.time_ns()

    def send(self, batch: Batch) -> None:
        """Export a batch.

        Raises:
            RetryableError: it was not taken; the text is what the exporter says.
        """
        from opentelemetry.sdk.metrics.export import MetricExportResult

        now = time.time_ns()
        with _Said() as said:
            result = self._exporter.export(self._data(batch, now))
        cause = f" {self._session.error}" if self._session.error else ""
        check(result is MetricExportResult.SUCCESS, f"{said.text}{cause}")
        self._since = now

    def _data(self, batch: Batch, now: int) -> Any:
        from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        metrics = list(_metrics(batch, self._since, now))
        scope = ScopeMetrics(InstrumentationScope("airflow_dataops"), metrics, "")
        return MetricsData([ResourceMetrics(self._resource, [scope], "")])


def open_sink(spec: SinkSpec) -> OtlpSink:
    """Open `otlp://host:port/v1/metrics`, or `otlps://` over TLS.

    Options: `header` and `token` (the name and value of a header, such as an API key),
    `service`, `timeout`. A password is sent as `Authorization: Bearer`.
    """
    options = options_of(spec, ("header", "token", "service", "timeout"))
    scheme = "https" if spec.kind == "otlps" else "http"
    endpoint = f"{scheme}://{spec.host or 'localhost'}:{spec.port or _PORT}{spec.path or _PATH}"
    headers = {}
    if spec.password:
        headers["Authorization"] = f"Bearer {spec.password}"
    if "header" in options:
        headers[options["header"]] = options.get("token", "")
    try:
        return OtlpSink(endpoint, headers, seconds_of(spec, 5), options.get("service", "airflow"))
    except ModuleNotFoundError as error:
        raise MissingExtraError("sink otlp", "otlp") from error


def _metrics(batch: Batch, since: int, now: int) -> Iterator[Any]:
    from opentelemetry.sdk.metrics.export import (
        AggregationTemporality,
        Gauge,
        Histogram,
        NumberDataPoint,
        Sum,
    )

    delta = AggregationTemporality.DELTA
    for series, value in batch.counters.items():
        point = NumberDataPoint(dict(series.tags), since, now, value)
        yield _metric(series, Sum([point], delta, is_monotonic=True))
    for series, value in batch.gauges.items():
        yield _metric(series, Gauge([NumberDataPoint(dict(series.tags), since, now, value)]))
    for series, timing in batch.timings.items():
        yield _metric(series, Histogram([_histogram(series, timing, since, now)], delta), "s")


def _metric(series: Series, data: Any, unit: str = "") -> Any:
    from opentelemetry.sdk.metrics.export import Metric

    known = _KNOWN.get(series.name)
    unit = known.unit.value if known else unit
    return Metric(series.name, known.help if known else "", unit, data)


def _histogram(series: Series, timing: Timing, since: int, now: int) -> Any:
    from opentelemetry.sdk.metrics.export import HistogramDataPoint

    return HistogramDataPoint(
        attributes=dict(series.tags),
        start_time_unix_nano=since,
        time_unix_nano=now,
        count=timing.count,
        sum=timing.total,
        bucket_counts=timing.buckets,
        explicit_bounds=BUCKETS,
        min=timing.least,
        max=timing.greatest,
    )


def _session() -> Any:
    """Return a session that remembers why a request failed; the exporter does not say."""
    import requests

    class Session(requests.Session):
        error: Exception | None = None

        def send(self, request: Any, **arguments: Any) -> Any:
            try:
                answer = super().send(request, **arguments)
            except requests.RequestException as error:
                self.error = error
                raise
            self.error = None
            return answer

    return Session()


class _Said(logging.Filter):
    """Keeps what the exporter logs in this thread to itself, so that it is said once, by us."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: dict[str, None] = {}
        self._thread = threading.get_ident()
        self._logger = logging.getLogger(_LOGGER)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True
        self._texts[record.getMessage()] = None
        return False

    @property
    def text(self) -> str:
        """The first and the last thing it said: the cause, and that it gave up."""
        texts = list(self._texts)
        return " ".join(texts[:1] + texts[1:][-1:])

    def __enter__(self) -> _Said:
        self._logger.addFilter(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeFilter(self)
