"""Totals -> what Prometheus reads, through its official client library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.metrics.batch import BUCKETS
from airflow_dataops.core.metrics.catalogue import CATALOGUE, Kind
from airflow_dataops.core.metrics.prometheus import label, metric_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry

    from airflow_dataops.adapters.sinks.totals import Distribution, Totals
    from airflow_dataops.core.metrics.tags import Tags

_HELP = {metric.name: metric.help for metric in CATALOGUE}


def registry_of(totals: Totals) -> CollectorRegistry:
    """Return a registry with these totals in it."""
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(totals))
    return registry


class _Collector:
    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Any]:
        families = _Families()
        for series, value in self._totals.counters.items():
            family, name = families.find(series.name, Kind.COUNTER)
            family.add_sample(f"{name}_total", _labels(series.tags), value)
        for series, value in self._totals.gauges.items():
            family, name = families.find(series.name, Kind.GAUGE)
            family.add_sample(name, _labels(series.tags), value)
        for series, timing in self._totals.timings.items():
            family, name = families.find(series.name, Kind.TIMING)
            _add_histogram(family, name, _labels(series.tags), timing)
        yield from families.made.values()


class _Families:
    """Families by name; a name that has two kinds gets two families."""

    _TYPES = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.TIMING: "histogram"}

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}

    def find(self, name: str, kind: Kind) -> tuple[Any, str]:
        from prometheus_client import Metric

        wanted = metric_name(name, kind)
        type_ = self._TYPES[kind]
        if wanted in self.made and self.made[wanted].type != type_:
            wanted = f"{wanted}_{kind}"
        if wanted not in self.made:
            self.made[wanted] = Metric(wanted, _HELP.get(name, name), type_)
        return self.made[wanted], wanted


def _labels(tags: Tags) -> dict[str, str]:
    return {label(key): value for key, value in tags}


def _add_histogram(family: Any, name: str, labels: dict[str, str], timing: Distribution) -> None:
    count = 0
    for bound, number in zip((*BUCKETS, float("inf")), timing.buckets, strict=True):
        count += number
        le = "+Inf" if bound == float("inf") else repr(bound)
        family.add_sample(f"{name}_bucket", {**labels, "le": le}, count)
    family.add_sample(f"{name}_count", labels, count)
    family.add_sample(f"{name}_sum", labels, timing.total)
