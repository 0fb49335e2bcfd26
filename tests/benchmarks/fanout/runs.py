"""Runs as the load prints them, with figures of one's choice."""

from benchmarks.fanout.figures import Run

FIGURES = {
    "messages": 3_000, "seconds": 3.0, "server_cpu": 0.5, "client_busy": 0.2, "other_cpu": 0.0, "missing": 0,
    "sequence_gaps": 0, "latency_us": {"count": 3_000, "p50": 500.0, "p90": 800.0, "p99": 1_250.0, "p999": 2_000.0},
    "connect_us": {"p50": 1_000.0, "p99": 2_000.0}, "memory_kib": 2_400.0, "connect_s": 0.7, "burst_ms": 7.25,
}  # fmt: skip


def run(peer="tickwire", workload="W1", **figures):
    return Run(peer, workload, {**FIGURES, **figures})
