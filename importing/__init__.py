"""Flows of other systems, as scripts: pure, from their tree to ours.  `ringful import` reads and writes."""
