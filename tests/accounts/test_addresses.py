"""Where a call comes from, and which networks that is in."""

import ipaddress

import pytest
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from accounts.addresses import budget_subject, in_networks, parse_networks, request_address, scope_address


def both(peer, *forwarded):
    """Return the client's address as HTTP and as a socket's scope say it; they have to agree."""
    headers = {"X-Forwarded-For": ",".join(forwarded)} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)
    # A header that came twice stands twice in a scope.
    scope = {"client": [peer, 50_000], "headers": [(b"x-forwarded-for", line.encode()) for line in forwarded]}
    assert request_address(request) == scope_address(scope)
    return scope_address(scope)


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("", "0.0.0.0"),
        ("/run/proxy.sock", "0.0.0.0"),
    ],
)
def test_an_address_is_written_as_lists_and_the_database_know_it(peer, address):
    assert both(peer) == address


def test_a_call_without_a_client_comes_from_nowhere():
    assert scope_address({"client": None, "headers": []}) == "0.0.0.0"
    assert scope_address({"headers": []}) == "0.0.0.0"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, ["203.0.113.9"], "10.0.0.1"),
        (1, [], "10.0.0.1"),
        (1, ["203.0.113.9"], "203.0.113.9"),
        (1, ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        (1, ["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
        (2, ["6.6.6.6, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        (2, ["6.6.6.6"], "10.0.0.1"),
        (1, ["6.6.6.6, 2001:db8::7"], "2001:db8::7"),
        (1, ["203.0.113.9:4711"], "0.0.0.0"),
        (1, ["evil"], "0.0.0.0"),
    ],
)
def test_only_what_our_own_proxies_wrote_counts(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    assert both("10.0.0.1", *forwarded) == address


@given(st.lists(st.ip_addresses(), max_size=4), st.ip_addresses())
def test_whatever_a_client_writes_the_trusted_entry_decides(invented, seen):
    with override_settings(TRUSTED_PROXIES=1):
        written = ", ".join(map(str, invented))
        assert both("10.0.0.1", *([written] if written else []), str(seen)) == both(str(seen))


def test_a_list_of_networks_is_separated_by_blanks_or_commas():
    networks = parse_networks(" 192.0.2.0/24, 10.0.0.1\n2001:db8::/32,,")
    assert [str(network) for network in networks] == ["192.0.2.0/24", "10.0.0.1/32", "2001:db8::/32"]
    assert parse_networks("") == []


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "10.0.0.0/33", "everywhere", "192.0.2", "2001:db8::/129"])
def test_a_wrong_network_is_named(wrong):
    with pytest.raises(ValueError, match=f"^{wrong} is not a network"):
        parse_networks(f"192.0.2.0/24 {wrong}")


@given(st.ip_addresses(), st.integers(0, 128))
def test_an_address_is_in_the_networks_around_it_and_in_no_other_familys(address, length):
    other = ipaddress.ip_network("0.0.0.0/0" if address.version == 6 else "::/0")
    around = ipaddress.ip_network(f"{address}/{min(length, address.max_prefixlen)}", strict=False)
    assert in_networks(str(address), [around])
    assert not in_networks(str(address), [other])
    assert not in_networks(str(address), [])


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_addresses_of_an_ipv6_line_are_one_caller(address, host):
    neighbour = ipaddress.IPv6Address(int(address) >> 64 << 64 | host)
    assert budget_subject(str(neighbour)) == budget_subject(str(address))
    beyond = ipaddress.IPv6Address((int(address) + 2**64) % 2**128)
    assert budget_subject(str(beyond)) != budget_subject(str(address))


@given(st.ip_addresses(v=4))
def test_each_ipv4_address_is_a_caller(address):
    assert budget_subject(str(address)) == str(address)
