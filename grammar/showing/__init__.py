"""Tree to text, in the one canonical form."""
