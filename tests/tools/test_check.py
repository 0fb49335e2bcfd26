"""The runner of `make test`: does it count honestly?"""

import sys

from tools import check, chromium

JUNIT = """<testsuites><testsuite>
<testcase name="a"/>
<testcase name="b"><failure message="no"/></testcase>
<testcase name="c"><error message="no"/></testcase>
<testcase name="d"><skipped message="later"/></testcase>
</testsuite></testsuites>"""


def part(code, *, report=None):
    return check.Part("sample", [sys.executable, "-c", f"raise SystemExit({code})"], report=report)


def test_it_counts_passed_failed_and_skipped(tmp_path):
    report = tmp_path / "junit.xml"
    report.write_text(JUNIT)
    assert check.counts(report) == (1, 2, 1)


def test_it_says_which_failed_and_why(tmp_path):
    report = tmp_path / "junit.xml"
    report.write_text(JUNIT)
    assert check.complaints(report) == ["b: no", "c: no"]
    assert check.complaints(tmp_path / "missing.xml") == []


def test_what_failed_stands_at_the_end_whichever_lane_it_was_in(capsys):
    check.print_summary([check.Outcome("a", 1.0, 3, 1, 0, ["tests.x test_y: assert 1 == 2"])], 2.5)
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "failed in a: tests.x test_y: assert 1 == 2", "3 passed, 1 failed",
    ]  # fmt: skip


def test_a_run_without_a_report_counts_nothing(tmp_path):
    assert check.counts(tmp_path / "missing.xml") == (0, 0, 0)


def test_a_check_that_ends_well_counts_as_one_passed():
    outcome = check.run(part(0))
    assert (outcome.passed, outcome.failed) == (1, 0)


def test_a_run_that_breaks_down_before_any_test_has_failed():
    outcome = check.run(part(3, report="pytest"))
    assert (outcome.passed, outcome.failed) == (0, 1)


def test_a_part_that_hangs_is_ended_and_has_failed(monkeypatch, capfd):
    monkeypatch.setattr(check, "PART_TIME_MAX_S", 0.2)
    outcome = check.run(check.Part("sample", [sys.executable, "-c", "import time; time.sleep(60)"]))
    assert outcome.failed == 1
    assert "did not end within" in capfd.readouterr().out


def test_the_last_line_is_the_sum(capsys):
    check.print_summary([check.Outcome("a", 1.0, 3, 0, 0), check.Outcome("b", 2.0, 4, 1, 0)], 2.5)
    assert capsys.readouterr().out.splitlines()[-1] == "7 passed, 1 failed"


def test_a_missing_browser_fails_and_is_told(monkeypatch, capfd):
    monkeypatch.setattr(chromium, "ensure", missing)
    outcome = check.run(check.Part("browser", ["true"]))
    assert outcome.failed == 1
    assert "install it" in capfd.readouterr().out


def missing():
    raise chromium.ChromiumMissing("install it")


def test_an_unknown_part_is_refused(capsys):
    assert check.main(["nonsense"]) == 2
    assert "no such part: nonsense" in capsys.readouterr().err


def test_a_part_keeps_what_it_compiles_whatever_the_machine_says(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert (
        check.run(check.Part("sample", [sys.executable, "-c", "import sys; exit(sys.dont_write_bytecode)"])).failed == 0
    )


def says(name, text):
    return check.Part(name, [sys.executable, "-c", f"print({text!r})"])


def test_every_part_is_there_once():
    names = [part.name for stage in check.stages() for lane in stage for part in lane]
    assert len(names) == len(set(names))
    assert {"style", "types", "arrows", "unit", "postgres", "journeys", "postgres-journeys", "js", "browser"} < {*names}


def test_parts_that_are_asked_for_stay_in_their_lanes():
    a, b, c = (says(name, "") for name in "abc")
    assert check.chosen([[a, b], [c]], []) == [[a, b], [c]]
    assert check.chosen([[a, b], [c]], ["b"]) == [[b]]
    assert check.chosen([[a, b], [c]], ["d"]) == []
    assert check.run_stage([]) == []


def test_lanes_show_one_output_after_the_other(capfd):
    outcomes = check.run_stage([[says("a", "first"), says("b", "second")], [says("c", "third"), says("d", "fourth")]])
    assert [(outcome.name, outcome.passed) for outcome in outcomes] == [("a", 1), ("b", 1), ("c", 1), ("d", 1)]
    lines = [line for line in capfd.readouterr().out.splitlines() if line]
    said = [line[:4].strip("─ ") if line.startswith("─") else line for line in lines]
    assert said == ["a", "first", "b", "second", "c", "third", "d", "fourth"]


def test_a_failure_in_any_lane_counts():
    fails = check.Part("b", [sys.executable, "-c", "raise SystemExit(2)"])
    assert [outcome.failed for outcome in check.run_stage([[says("a", "")], [fails, says("c", "")]])] == [0, 1, 0]
