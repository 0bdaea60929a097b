"""Text messages of a node: what becomes of each, whose a reply is, and who wants none."""
