"""The trading core: standard library only; no clock, no chance, no I/O."""
