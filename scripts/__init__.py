"""Scripts that ship with ringful."""
