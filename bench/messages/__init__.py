"""What `ringful bench messages` measures."""
