"""What the parent of several processes starts; that it starts them again and ends them is in tests/journeys."""

from config.supervisor import _base, _feed_command, _web_command

OPTIONS = {
    "host": "127.0.0.1", "port": 8080, "workers": 2, "feed": "none", "speed": "max", "wait_clients": 3,
    "loop": True, "fresh": True,
}  # fmt: skip


def test_the_feed_process_gets_all_that_concerns_the_source():
    command = " ".join(_feed_command(OPTIONS))
    assert command.endswith("--feed none --speed max --wait-clients 3 --loop --fresh")
    assert "serve --role feed --host 127.0.0.1 --port 8080" in command


def test_web_processes_share_a_port_and_know_nothing_of_the_source():
    command = " ".join(_web_command(OPTIONS))
    assert command.endswith("serve --role web --host 127.0.0.1 --port 8080 --shared-port")


def test_the_engine_process_listens_on_nothing_of_its_own():
    command = " ".join(_base(OPTIONS, "engine"))
    assert command.endswith("serve --role engine --host 127.0.0.1 --port 8080")
