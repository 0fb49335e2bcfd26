"""The servers that are measured, each a process of its own: `python -m benchmarks.fanout.peers.NAME PORT`.

Each says a line with "ready" in it when it listens, and then takes the publisher's commands from standard input. All
but Tickwire and the ceiling serve any path and accept any key of the right form.
"""
