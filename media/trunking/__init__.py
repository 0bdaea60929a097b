"""Trunks watched by the node: whether they live, whether we are registered, where their names lead."""
