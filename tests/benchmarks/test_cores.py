"""On which cores servers and loads run, and who goes before others."""

import os
import subprocess
import sys

import pytest

from benchmarks.cores import PRIORITY, CoreMissing, Cores, pinned, preferred


def test_several_workers_have_a_core_each_as_long_as_there_are_any():
    cores = Cores(server=0, load=1, behind=2, further=(3, 4))
    assert [cores.worker(number) for number in range(4)] == [0, 3, 4, 0]


def test_on_two_cores_workers_share_the_servers():
    assert [Cores(server=0, load=1, behind=1).worker(number) for number in range(2)] == [0, 0]


def test_a_machine_with_one_core_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with pytest.raises(CoreMissing, match="a core each"):
        Cores.of_this_machine()


def may_go_up():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, before - 1)
    except PermissionError:
        return False
    os.setpriority(os.PRIO_PROCESS, 0, before)
    return True


def test_who_is_started_meanwhile_goes_before_others_if_that_is_allowed_and_nobody_who_is_started_later():
    asked = [sys.executable, "-c", "import os; print(os.getpriority(os.PRIO_PROCESS, 0))"]
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with preferred():
        meanwhile = int(subprocess.check_output(asked))
    assert meanwhile == (PRIORITY if may_go_up() else before)
    assert int(subprocess.check_output(asked)) == before


def test_who_is_started_meanwhile_is_on_that_core_and_then_all_is_as_before():
    before = os.sched_getaffinity(0)
    core = min(before)
    with pinned(core):
        said = subprocess.check_output([sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"], text=True)
    assert (said.strip(), os.sched_getaffinity(0)) == (str(core), before)
