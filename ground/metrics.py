"""What the server measures of itself, as Prometheus reads it.

A metric is either counted as things happen, or read when somebody asks (`Metrics.read`): what can be
looked up costs nothing in between.  No label ever holds a key, a number, a URL or an ID: every set of
labels is bounded by what is written in this house, whoever calls.  `docs/operation.md` has a line for
each metric; a test holds both equal.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Literal, TypeAlias

from attrs import frozen
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE = CONTENT_TYPE_LATEST

Reading: TypeAlias = float | Mapping[str, float]
"""A value, or one for each value of the metric's label."""


@frozen
class _Read(Collector):
    """A metric that is read when it is asked for."""

    name: str
    kind: Literal["gauge", "counter"]
    about: str
    label: str
    reading: Callable[[], Reading]

    def describe(self) -> Iterable[Metric]:
        return [self._family()]

    def _family(self) -> GaugeMetricFamily | CounterMetricFamily:
        labels = [self.label] if self.label else []
        made = GaugeMetricFamily if self.kind == "gauge" else CounterMetricFamily
        return made(self.name, self.about, labels=labels)

    def collect(self) -> Iterable[Metric]:
        family, found = self._family(), self.reading()
        if isinstance(found, Mapping):
            for value, number in found.items():
                family.add_metric([value], number)
        else:
            family.add_metric([], found)
        return [family]


class Spread(Collector):
    """A histogram without labels that one thread alone observes, so that it needs no lock.

    It is read as `prometheus_client.Histogram` is, and to observe takes a quarter of the time.
    """

    def __init__(self, name: str, about: str, *, buckets: Sequence[float]) -> None:
        self._name, self._about = name, about
        self._bounds = tuple(map(float, buckets))
        self._counts = [0] * (len(buckets) + 1)
        """How many there were up to each bound, and above that before it; the last one: above all."""
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count *value*."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def describe(self) -> Iterable[Metric]:
        return [HistogramMetricFamily(self._name, self._about)]

    def collect(self) -> Iterable[Metric]:
        bounds = [*map(floatToGoString, self._bounds), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(self._counts)), strict=True))
        return [HistogramMetricFamily(self._name, self._about, buckets, self._sum)]


class Metrics:
    """The metrics of one server, each a member, and its registry."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.calls_ended = Counter(
            "ringful_calls_ended",
            "Calls and runs that have ended, by direction (inbound, outbound, none) and outcome.",
            ["direction", "outcome"],
            registry=registry,
        )
        self.conferences_ended = Counter(
            "ringful_conferences_ended",
            "Conferences that have ended, by reason.",
            ["reason"],
            registry=registry,
        )
        self.members_joined = Counter(
            "ringful_conference_members_joined",
            "Legs that came into a conference.",
            registry=registry,
        )
        self.setup_seconds = Histogram(
            "ringful_call_setup_seconds",
            "From the request to place a call until it rings, or is answered.",
            ["until"],
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60),
            registry=registry,
        )
        self.sounds_failed = Counter(
            "ringful_sounds_failed",
            "Sounds that could not be made, and recordings that could not be written.",
            ["what"],
            registry=registry,
        )
        self.trunk_failures = Counter(
            "ringful_trunk_failures",
            "Calls that the trunk did not take for a reason of its own, by class: "
            "credentials, forbidden, codec, timeout, unavailable, unreachable, other.",
            ["why"],
            registry=registry,
        )
        self.rtp_received = Counter(
            "ringful_rtp_packets_received",
            "RTP packets that came in, of legs that have ended.",
            registry=registry,
        )
        self.rtp_lost = Counter(
            "ringful_rtp_packets_lost",
            "RTP packets that did not come in, of legs that have ended.",
            registry=registry,
        )
        self.rtp_jitter = Histogram(
            "ringful_rtp_jitter_seconds",
            "Mean jitter of each leg that has ended.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16),
            registry=registry,
        )
        self.commit_seconds = Spread(
            "ringful_store_commit_seconds",
            "How long each commit of the store took.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5, 10),
        )
        self.commit_writes = Spread(
            "ringful_store_commit_writes",
            "How many writes each commit of the store held.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
        )
        registry.register(self.commit_seconds)
        registry.register(self.commit_writes)
        self.loop_lag = Histogram(
            "ringful_loop_lag_seconds",
            "How much later than asked the server's one loop came to a task, looked at four times a second.",
            buckets=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5),
            registry=registry,
        )
        self.http_requests = Counter(
            "ringful_http_requests",
            "HTTP requests, by method of the API (or recordings, health, ready, metrics, other) and status.",
            ["method", "status"],
            registry=registry,
        )
        self.http_refused = Counter(
            "ringful_http_refused",
            "Requests that were refused with 401, 403, 409, 429 or 503, by the problem's code.",
            ["code"],
            registry=registry,
        )
        self.http_gave_way = Counter(
            "ringful_http_connections_ended",
            "Connections that waited for their clients, and were ended to make room for others.",
            registry=registry,
        )

    def read(
        self,
        name: str,
        kind: Literal["gauge", "counter"],
        about: str,
        reading: Callable[[], Reading],
        *,
        label: str = "",
    ) -> None:
        """Add a metric that *reading* gives when it is asked for."""
        self.registry.register(_Read(name, kind, about, label, reading))

    def shown(self) -> bytes:
        """Give all of them in Prometheus's text format, of `CONTENT_TYPE`."""
        return generate_latest(self.registry)
