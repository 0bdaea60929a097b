"""Golden cases: read, run, compared, written back."""
