"""The server put together: its parts joined, watched, and told of what is missing."""
