"""The fault sweep: every case again, with something put in at every step."""
