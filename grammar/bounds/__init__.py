"""How long a script can hold its lines, and what that can cost: `bound` adds up what the others know."""
