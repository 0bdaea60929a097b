"""What goes out to the web on a customer's behalf: guarded, bounded, delivered in order."""
