"""What editors and highlighters show of call scripts, also while they are half typed."""
