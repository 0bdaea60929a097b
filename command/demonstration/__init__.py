"""What the demo needs: sounds, and a small web application."""
