"""What every room stands on: it knows nothing of calls."""
