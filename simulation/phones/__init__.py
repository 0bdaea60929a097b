"""Simulated phones: the media port in virtual time, and the far ends that it reaches."""
