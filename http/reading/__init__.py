"""From the bytes of a request to the request, and from that to a statement."""
