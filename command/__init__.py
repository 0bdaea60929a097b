"""The `ringful` command, its configuration, and the one place where the parts are joined."""
