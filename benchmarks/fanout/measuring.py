"""One measurement: a server, the load on it, and the figures that the load prints."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cores import Cores, settle
from benchmarks.fanout import build
from benchmarks.fanout.figures import Run
from benchmarks.fanout.servers import Servers, Serving
from benchmarks.fanout.workloads import Workload

BURST_S = 60
"""How long the last ticks of a burst may take."""

WARM_UP_S = 1.0
RESUME_S = 2.0
PRIVATE_EVENT = "balance_demo"


class LoadFailed(Exception):
    """A load that could not be put on a server, with its words."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How long one run counts, and where."""

    seconds: float
    cores: Cores
    folder: Path

    def spins(self, workload: Workload) -> bool:
        """Tell whether the load may look for messages all the time: not where feed and Valkey need its core.

        That holds for all servers under a workload: what is compared is measured alike.
        """
        return "tickwire-valkey" not in workload.peers or self.cores.behind != self.cores.load


def measure(servers: Servers, peer: str, workload: Workload, conditions: Conditions) -> Run:
    """Start the server, put the load on it, and return what came of it."""
    with servers.running(peer, workload) as serving:
        command = load_command(serving, workload, conditions)
        figures = _watch(command, serving, workload, conditions)
    return Run(peer, workload.name, figures)


def load_command(serving: Serving, workload: Workload, conditions: Conditions) -> list[str]:
    """Return the load's command line; its script is written into the folder."""
    script = conditions.folder / "script"
    lines = list(serving.script(workload))
    if workload.kind == "private":
        lines[-1] = serving.private_script()
    script.write_text("\n".join(lines) + "\n")
    options: dict[str, object] = {
        "port": serving.port, "path": serving.path(workload), "script": script, "layout": workload.stream,
        "connections": workload.connections, "at-once": workload.at_once, "products": workload.products,
        "seconds": BURST_S if workload.expect else conditions.seconds, "warm-up": WARM_UP_S,
        "expect": workload.expect, "stall": workload.stalled, "resume": RESUME_S if workload.stalled else 0,
        "total": workload.total, "pids": ",".join(map(str, serving.pids)),
    }  # fmt: skip
    command = [str(build.program("load"))]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    if workload.kind == "private":
        command += ["--private", PRIVATE_EVENT]
    if conditions.spins(workload):
        command.append("--spin")
    return command


def _watch(command: list[str], serving: Serving, workload: Workload, conditions: Conditions) -> dict[str, object]:
    """Run the load; start and stop the publisher when it says so."""
    said = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as load:
        settle(load, conditions.cores.load)
        assert load.stdout is not None
        assert load.stderr is not None
        for line in load.stdout:
            said = line
            if line == "ready\n":
                serving.tell(workload.command)
            elif line == "measured\n":
                serving.tell("stop")
        words = load.stderr.read()
    if load.returncode != 0:
        raise LoadFailed(words.strip() or f"the load ended with {load.returncode}")
    figures: dict[str, object] = json.loads(said)
    return figures
