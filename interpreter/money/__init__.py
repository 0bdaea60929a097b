"""What things cost, and what a key may still spend."""
