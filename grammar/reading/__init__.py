"""Text to tree: from the pieces of a line to the nodes, and what is wrong where that cannot be."""
