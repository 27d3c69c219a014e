"""What twinlens talks about: pure values and rules, no I/O, no framework."""
