"""The configuration: read, checked, and told to runs."""
