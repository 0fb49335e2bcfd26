"""On which cores a server, what it has started, and the load run."""

import os
import subprocess
import sys

import pytest

from benchmarks.cores import CoreMissing, Cores, pinned, settle_server

PARENT = """
import subprocess, sys, threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
roles = [["--role", "web", "--port", "1"], ["--role", "engine"]]
children = [subprocess.Popen([sys.executable, "-c", "input()", *role], stdin=subprocess.PIPE) for role in roles[:COUNT]]
print(*[child.pid for child in children], flush=True)
input()
"""


def test_several_workers_have_a_core_each_as_long_as_there_are_any():
    cores = Cores(server=0, load=1, behind=2, further=(3, 4))
    assert [cores.worker(number) for number in range(4)] == [0, 3, 4, 0]


def test_on_two_cores_workers_share_the_servers():
    assert [Cores(server=0, load=1, behind=1).worker(number) for number in range(2)] == [0, 0]


def test_a_machine_with_one_core_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with pytest.raises(CoreMissing, match="a core each"):
        Cores.of_this_machine()


@pytest.mark.parametrize("count", [0, 2])
def test_who_serves_has_a_core_and_the_rest_of_its_family_another(count):
    cores = Cores(server=0, load=1, behind=1)
    command = [sys.executable, "-c", PARENT.replace("COUNT", str(count))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        children = [int(pid) for pid in parent.stdout.readline().split()]
        settle_server(parent.pid, cores)
        threads = [int(name) for name in os.listdir(f"/proc/{parent.pid}/task")]
        found = {pid: os.sched_getaffinity(pid) for pid in (*threads, *children)}
        parent.communicate("\n")
    assert len(threads) == 2
    serving = children[:1] or threads
    assert found == {pid: {cores.server} if pid in serving else {cores.behind} for pid in (*threads, *children)}


def test_who_is_started_meanwhile_is_on_that_core_and_then_all_is_as_before():
    before = os.sched_getaffinity(0)
    core = min(before)
    with pinned(core):
        said = subprocess.check_output([sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"], text=True)
    assert (said.strip(), os.sched_getaffinity(0)) == (str(core), before)
