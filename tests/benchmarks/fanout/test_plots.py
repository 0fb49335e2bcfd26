"""Which plots the results have."""

from benchmarks.fanout.figures import by_workload
from benchmarks.fanout.plots import fanout_plots
from tests.benchmarks.fanout.runs import run


def test_a_plot_shows_every_server_that_was_measured():
    plots = fanout_plots(by_workload([run("tickwire"), run("ceiling", messages=1)]))
    assert list(plots) == ["W1"]
    assert "Tickwire" in plots["W1"]
    assert "C server" in plots["W1"]


def test_what_was_not_measured_has_no_plot():
    assert fanout_plots(by_workload([run(workload="storm")])) == {}


def test_lateness_is_plotted_in_ms():
    assert ">1.2<" in fanout_plots(by_workload([run(workload="W2")]))["W2"]
