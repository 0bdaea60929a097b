"""What came, as commands show it."""
