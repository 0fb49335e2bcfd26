"""Where a call comes from, and which networks that is in."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def scope_address(scope: dict[str, Any]) -> str:
    """Return the client's address of an ASGI scope."""
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return _behind_proxies((scope.get("client") or ["0.0.0.0"])[0], ",".join(forwarded))  # noqa: S104  # unknown


def request_address(request: HttpRequest) -> str:
    """Return the client's address of a Django request."""
    return _behind_proxies(request.META.get("REMOTE_ADDR") or "0.0.0.0", request.META.get("HTTP_X_FORWARDED_FOR", ""))  # noqa: S104


def _behind_proxies(peer: str, forwarded: str) -> str:
    """Return the address that the outermost of our own proxies saw.

    Each proxy appends the address that it was called from, so only the last `TRUSTED_PROXIES` entries were written by
    somebody we trust; what stands left of them was written by the client.
    """
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    trusted = settings.TRUSTED_PROXIES
    if trusted and len(hops) >= trusted:
        peer = hops[-trusted]
    try:
        return _plain(ipaddress.ip_address(peer))
    except ValueError:
        return "0.0.0.0"  # noqa: S104  # not an address: in nobody's list


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return an address as lists and the database know it.

    A socket for both families writes `::ffff:192.0.2.7` for an IPv4 address, and a link-local one has its interface.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))


def budget_subject(address: str) -> str:
    """Return whom an address's budgets belong to: an IPv6 line has 2^64 addresses, and they are one caller.

    >>> budget_subject("192.0.2.7"), budget_subject("2001:db8::7:1")
    ('192.0.2.7', '2001:db8::/64')
    """
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((int(ipaddress.IPv6Address(address)), 64), strict=False))


def parse_networks(text: str) -> list[Network]:
    """Return the networks of a list in CIDR notation; raises `ValueError` that names the wrong one."""
    networks = []
    for part in text.replace(",", " ").split():
        try:
            networks.append(ipaddress.ip_network(part))
        except ValueError:
            raise ValueError(f"{part} is not a network in CIDR notation such as 192.0.2.0/24") from None
    return networks


def in_networks(address: str, networks: Sequence[Network]) -> bool:
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in networks)
