"""A call in virtual time: the production interpreter, with simulated phones and web behind its door."""
