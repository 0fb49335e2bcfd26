"""The sockets: two documents' dialects, one session, one hub per process."""
