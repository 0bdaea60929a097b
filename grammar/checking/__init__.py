"""Everything that is wrong with a tree, at once: `checker` asks each of the others."""
