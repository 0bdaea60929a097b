"""The live calls of a node: how they come about, what is asked of them, and what becomes of them."""
