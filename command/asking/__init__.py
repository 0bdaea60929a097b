"""What commands ask: a running server, as any client does, and the store, whether a server runs or not."""
