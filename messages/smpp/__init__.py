"""SMPP 3.4 (the SMPP Developers Forum, issue 1.2): binds to an SMSC, kept up, and what goes over them."""
