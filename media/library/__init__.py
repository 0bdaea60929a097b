"""Sounds to play: fetched, checked, converted, spoken, kept."""
