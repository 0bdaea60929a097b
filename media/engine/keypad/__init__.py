"""Keys: heard in events of RTP, in INFO and in the sound; sent in the sound where nothing else is heard."""
