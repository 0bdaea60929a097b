"""How fast text messages go: an SMSC that takes whatever comes, and what is measured against it."""
