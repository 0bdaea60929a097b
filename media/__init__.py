"""Legs and sound: the port, simulated phones, and pjsua2 behind worker processes."""
