"""What does Prometheus get? The figures that all processes say of themselves, under names of its own kind."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streaming.figures import EngineFigures, FeedFigures, Figures

PREFIX = "tickwire_"

Row = tuple[Sequence[str], float]


class Processes(Collector):
    """One sample of each process, labelled with its name: whichever process is asked tells of all."""

    def __init__(self, processes: Sequence[Figures]) -> None:
        self._processes = processes

    def collect(self) -> Iterator[Metric]:
        every = self._processes
        yield _gauge("connections", "Open WebSockets.", ["process", "stream"], (
            ((one.process, stream), count) for one in every for stream, count in one.connections.items()
        ))  # fmt: skip
        yield _counter("deliveries", "Events handed to connections.", every, lambda one: one.delivered)
        yield _counter("conflated", "Events that a newer one replaced for a slow reader.", every,
                       lambda one: one.conflated)  # fmt: skip
        yield _counter("lost", "Announcements given up under overload; the board makes them good.", every,
                       lambda one: one.lost)  # fmt: skip
        yield _gauge("loop_late_seconds", "How late the event loop was at worst in the last second.", ["process"], (
            ((one.process,), one.late_ms / 1000) for one in every
        ))  # fmt: skip
        for one in every:
            if one.feed is not None:
                yield from _feed(one.process, one.feed)
            if one.engine is not None:
                yield from _engine(one.process, one.engine)


def metrics(processes: Sequence[Figures]) -> bytes:
    """Return the text that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Processes(processes))
    return generate_latest(registry)


def _feed(process: str, feed: FeedFigures) -> Iterator[Metric]:
    ticks = CounterMetricFamily(f"{PREFIX}ticks", "Ticks since the feed's start.", labels=["process", "result"])
    ticks.add_metric([process, "accepted"], feed.accepted)
    ticks.add_metric([process, "refused"], feed.refused)
    yield ticks
    yield _gauge("products", "Products by the state of their feed.", ["process", "state"], (
        ((process, state), count) for state, count in feed.states.items()
    ))  # fmt: skip
    yield _gauge("feed_age_seconds", "Time since a product's last tick, of those that are silent longest.",
                 ["process", "product"], (
        ((process, product), age_s) for product, _, age_s in feed.silent if age_s is not None
    ))  # fmt: skip


def _engine(process: str, engine: EngineFigures) -> Iterator[Metric]:
    yield _one("engine_works", "1 for the engine that holds the lease, 0 for a standby.", process, bool(engine.fence))
    if not engine.fence:
        return
    yield _one("engine_fence", "Grows with every take-over of the lease.", process, engine.fence)
    yield _one("engine_lag_seconds", "The slowest commit of the last second.", process, engine.lag_ms / 1000)
    yield _one("engine_waiting", "Commands and triggers on their way.", process, engine.waiting)
    yield _one("open_orders", "Pending orders.", process, engine.orders)
    yield _one("open_positions", "Open positions.", process, engine.positions)
    commands = CounterMetricFamily(f"{PREFIX}engine_commands", "Commands since the engine's start.", labels=["process"])
    commands.add_metric([process], engine.commands)
    yield commands
    yield _gauge("open_contracts", "Contracts of open positions (one is 0.001 of the base currency).",
                 ["environment", "product", "side"], (
        ((environment, product, side), count)
        for environment, product, bought, sold in engine.interest
        for side, count in (("buy", bought), ("sell", sold))
    ))  # fmt: skip


def _gauge(name: str, words: str, labels: Sequence[str], rows: Iterable[Row]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, words, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _one(name: str, words: str, process: str, number: float) -> Metric:
    return _gauge(name, words, ["process"], [((process,), number)])


def _counter(name: str, words: str, processes: Sequence[Figures], count: Callable[[Figures], int]) -> Metric:
    family = CounterMetricFamily(PREFIX + name, words, labels=["process"])
    for one in processes:
        family.add_metric([one.process], count(one))
    return family
