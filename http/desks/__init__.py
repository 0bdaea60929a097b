"""What is asked about scripts, numbers, callbacks: each answer as text and as JSON."""
