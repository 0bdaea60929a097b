"""Calls of the past, in virtual time: under another script, and as golden cases."""
