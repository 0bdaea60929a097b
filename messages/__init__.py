"""Text messages on their way out and in: how texts are split, and what carries them."""
