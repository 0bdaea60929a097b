"""Who calls whom: read from the INVITE of a call that comes in, and written into that of a call out."""
