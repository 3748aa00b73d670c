"""Debian's Prometheus scraping its pushgateway; and the textfile of node exporter."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any, Self

from prometheus_client.parser import text_string_to_metric_families

from tests.receivers.numbers import Numbers, key
from tools.airflow_settings import free_port

if TYPE_CHECKING:
    from pathlib import Path

HAS_PROMETHEUS = bool(shutil.which("prometheus") and shutil.which("prometheus-pushgateway"))
_OURS = ("job", "instance", "exported_job", "exported_instance")
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class GatewayReceiver:
    """A pushgateway; reads what a Prometheus would scrape from it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._gateway = free_port()
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        state = self._folder / "totals.json"
        return f"pushgateway://127.0.0.1:{self._gateway}?instance=here&state={state}"

    def numbers(self) -> Numbers:
        with _opener.open(f"http://127.0.0.1:{self._gateway}/metrics", timeout=10) as answer:
            return _parse(answer.read().decode())

    def __enter__(self) -> Self:
        self._start("prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{self._gateway}")
        self._wait(self._gateway)
        return self

    def _start(self, *command: str) -> None:
        log = (self._folder / f"{command[0]}.log").open("wb")
        self._processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                with _opener.open(f"http://127.0.0.1:{port}/-/ready", timeout=2):
                    return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(10)


class PrometheusReceiver(GatewayReceiver):
    """A Prometheus that scrapes a pushgateway each second."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._port = free_port()

    def numbers(self) -> Numbers:
        """Ask Prometheus, after it has scraped once more."""
        time.sleep(2.5)
        found = Numbers()
        for sample in self._query('{job!="",__name__!~"go_.*|process_.*|push.*|scrape.*|up"}'):
            labels = dict(sample["metric"])
            _take(labels.pop("__name__"), labels, float(sample["value"][1]), found)
        return found

    def _query(self, expression: str) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{self._port}/api/v1/query?"
        query = urllib.parse.urlencode({"query": expression})
        with _opener.open(url + query, timeout=10) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return result

    def __enter__(self) -> Self:
        configuration = self._folder / "prometheus.yml"
        configuration.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            "scrape_configs:\n"
            "  - job_name: push\n"
            "    honor_labels: true\n"
            f"    static_configs: [{{targets: ['127.0.0.1:{self._gateway}']}}]\n"
        )
        super().__enter__()
        self._start(
            "prometheus",
            f"--web.listen-address=127.0.0.1:{self._port}",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self._folder / 'tsdb'}",
        )
        self._wait(self._port)
        return self


class TextfileReceiver:
    """Reads the file as node exporter would."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "airflow.prom"

    @property
    def address(self) -> str:
        return f"textfile://{self._file}"

    def numbers(self) -> Numbers:
        return _parse(self._file.read_text()) if self._file.exists() else Numbers()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


def _parse(text: str) -> Numbers:
    found = Numbers()
    for family in text_string_to_metric_families(text):
        if not family.name.startswith(("go_", "process_", "push_", "pushgateway_")):
            for sample in family.samples:
                _take(sample.name, dict(sample.labels), sample.value, found)
    return found


def _take(name: str, labels: dict[str, str], value: float, found: Numbers) -> None:
    if "le" in labels or name.endswith(("_created", "_bucket")):
        return
    labels = {label: text for label, text in labels.items() if label not in _OURS}
    if name.endswith("_seconds_count"):
        found.counts[key(name.removesuffix("_count"), labels)] += value
    elif name.endswith("_seconds_sum"):
        found.seconds[key(name.removesuffix("_sum"), labels)] += value
    elif name.endswith("_total"):
        found.counters[key(name.removesuffix("_total"), labels)] += value
    else:
        found.gauges[key(name, labels)] = value
