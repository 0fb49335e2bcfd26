"""How often may somebody try a password or a code?"""

from django.test import RequestFactory

from accounts.attempts import may_mail, may_sign_up, may_try, may_try_code


def at(address):
    return RequestFactory().post("/login", REMOTE_ADDR=address)


def test_a_name_can_be_tried_ten_times_a_minute_from_wherever(clock):
    tries = [may_try(at(f"192.0.2.{host}"), "ann") for host in range(11)]
    assert tries == [True] * 10 + [False]
    assert not may_try(at("203.0.113.9"), "ann")
    clock.now_ms = 59_999
    assert not may_try(at("192.0.2.7"), "ann")
    clock.now_ms = 60_000
    assert may_try(at("192.0.2.7"), "ann")


def test_an_address_can_try_ten_times_a_minute_whichever_names():
    assert all(may_try(at("192.0.2.7"), f"user-{number}") for number in range(10))
    assert not may_try(at("192.0.2.7"), "ann")
    assert may_try(at("203.0.113.9"), "ann")


def test_an_ipv6_line_is_one_address():
    for host in range(10):
        may_try(at(f"2001:db8::{host}"), f"user-{host}")
    assert not may_try(at("2001:db8::ffff"), "ann")
    assert may_try(at("2001:db8:0:1::1"), "ann")


def test_codes_are_counted_per_user_and_over_ten_minutes(clock):
    assert [may_try_code(1) for _ in range(11)] == [True] * 10 + [False]
    assert may_try_code(2)
    clock.now_ms = 599_999
    assert not may_try_code(1)
    clock.now_ms = 600_000
    assert may_try_code(1)


def test_new_users_are_counted_per_address_and_hour(clock):
    assert [may_sign_up(at("192.0.2.7")) for _ in range(11)] == [True] * 10 + [False]
    assert may_sign_up(at("192.0.2.8"))
    clock.now_ms = 3_600_000
    assert may_sign_up(at("192.0.2.7"))


def test_an_address_gets_so_many_mails_an_hour_however_it_is_written():
    assert [may_mail(address) for address in ["ann@example.com", "Ann@Example.com"] * 3] == [True] * 5 + [False]
    assert may_mail("bob@example.com")
