"""The `ringful` command: each module a command, and below them what commands share."""
