"""How long commits take."""

from trading.pace import Pace


def test_the_slowest_batch_since_the_last_look_is_told_once():
    now_s = [10.0]
    pace = Pace(lambda: now_s[0])
    for seconds, commands in ((0.002, 3), (0.0151, 1), (0.001, 2)):
        pace.begin()
        now_s[0] += seconds
        pace.end(commands)
    assert pace.commands == 6
    assert pace.take_lag_ms() == 15.1
    assert pace.take_lag_ms() == 0


def test_a_batch_that_hangs_is_told_while_it_hangs():
    now_s = [10.0]
    pace = Pace(lambda: now_s[0])
    pace.begin()
    now_s[0] += 2
    assert pace.take_lag_ms() == 2_000
    now_s[0] += 1
    assert pace.take_lag_ms() == 3_000
    assert pace.commands == 0
