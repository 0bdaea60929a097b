"""What runs in a media worker: pjsua2, and the sound that goes through it."""
