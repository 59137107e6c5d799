"""/metrics in Prometheus' text form. Counters are this process's; what is owed is read from the store at each scrape."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seen = Counter("sessions_seen", "Run events that were seen for the first time", registry=self.registry)
        self.posted = Counter("sessions_posted", "Sessions that were brought to a channel", registry=self.registry)
        self.failed = Counter("sessions_failed", "Sessions that were given up, and said so", registry=self.registry)
        self.owed = Gauge("owed", "Requests and deliveries that are still owed", registry=self.registry)
        self.oldest = Gauge("oldest_owed_seconds", "Age of the oldest of them", registry=self.registry)
        self.requests = Counter("requests", "Requests by API and status", ["api", "status"], registry=self.registry)
        self.limited = Counter("requests_limited", "Answers with status 429", ["api"], registry=self.registry)
        self.waited = Counter(
            "requests_waited_seconds", "Time spent waiting for a rate limit", ["api"], registry=self.registry
        )
        self.reading = Histogram(
            "reading_seconds", "Time to read an audit log", buckets=(0.1, 0.5, 1, 5, 15, 60), registry=self.registry
        )

    def request(self, api: str, status: int, waited_s: float) -> None:
        """`status` is 0 where no answer came."""
        self.requests.labels(api, str(status)).inc()
        self.waited.labels(api).inc(waited_s)
        if status == 429:
            self.limited.labels(api).inc()

    def text(self, owed: int, oldest_s: float) -> bytes:
        self.owed.set(owed)
        self.oldest.set(oldest_s)
        return generate_latest(self.registry)
