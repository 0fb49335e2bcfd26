"""How fast a tick reaches how many sockets: Tickwire, a plain Channels consumer, other servers and a C server."""
