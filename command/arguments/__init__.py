"""What the options of commands say: read, or refused with what would do."""
