"""I/O: plans, guards, state, delivery, cadence. Decides what may be sent, sends it, remembers the answers."""
