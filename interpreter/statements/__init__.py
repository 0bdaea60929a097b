"""What each statement means: `table` knows which module says it."""
