"""What Prometheus reads."""

from prometheus_client.parser import text_string_to_metric_families

from config.metrics import metrics
from streaming.figures import EngineFigures, FeedFigures
from tests.streaming.test_figures import figures

WEB = figures("web:1", connections={"pages": 2}, delivered=100, conflated=3, lost=1, late_ms=12.5)
FEED = figures(
    "feed:2", feed=FeedFigures(50, 4, {"open": 2, "stale": 1}, [("EUR-USD", "open", 0.4), ("X", "stale", None)])
)
OPEN = [("demo", "EUR-USD", 1500, 200)]
WORKING = EngineFigures(fence=5, lag_ms=2.5, waiting=1, commands=9, orders=2, positions=1, products=1, interest=OPEN)
ENGINE = figures("engine:3", engine=WORKING)
STANDBY = figures("engine:4", engine=EngineFigures(0))


def samples(*processes):
    """Return (name, labels' values) -> number."""
    text = metrics(processes).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_figure_of_every_process_has_its_sample():
    found = samples(WEB, FEED, ENGINE, STANDBY)
    for name, number in {
        ("tickwire_connections", "web:1", "pages"): 2,
        ("tickwire_deliveries_total", "web:1"): 100,
        ("tickwire_conflated_total", "web:1"): 3,
        ("tickwire_lost_total", "web:1"): 1,
        ("tickwire_loop_late_seconds", "web:1"): 0.0125,
        ("tickwire_ticks_total", "feed:2", "accepted"): 50,
        ("tickwire_ticks_total", "feed:2", "refused"): 4,
        ("tickwire_products", "feed:2", "stale"): 1,
        ("tickwire_feed_age_seconds", "feed:2", "EUR-USD"): 0.4,
        ("tickwire_engine_works", "engine:3"): 1,
        ("tickwire_engine_works", "engine:4"): 0,
        ("tickwire_engine_fence", "engine:3"): 5,
        ("tickwire_engine_lag_seconds", "engine:3"): 0.0025,
        ("tickwire_engine_waiting", "engine:3"): 1,
        ("tickwire_engine_commands_total", "engine:3"): 9,
        ("tickwire_open_orders", "engine:3"): 2,
        ("tickwire_open_positions", "engine:3"): 1,
        ("tickwire_open_contracts", "demo", "EUR-USD", "buy"): 1500,
        ("tickwire_open_contracts", "demo", "EUR-USD", "sell"): 200,
    }.items():
        assert found[name] == number, name
    assert ("tickwire_feed_age_seconds", "feed:2", "X") not in found
    assert ("tickwire_engine_fence", "engine:4") not in found


def test_a_name_is_a_labels_value_whatever_is_in_it():
    name = 'a"b\\c\nd'
    assert samples(figures(name))["tickwire_deliveries_total", name] == 0


def test_no_process_is_no_sample():
    assert samples() == {}
