"""What `ringful bench` takes and tells where a command is long."""
