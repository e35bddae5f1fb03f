"""What the specifications say: frozen values and pure functions. No I/O, no clock, no chance, no coroutines."""
