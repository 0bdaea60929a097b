"""SMPP 3.4 (the SMPP Developers Forum, issue 1.2): binds to an SMSC, kept up, and what goes over them.

Pure: `codec` (PDUs), `session` (one bind's conversation), `parts` (what is submitted for a message),
`underway` (what the desk is told of one), `incoming` (what a deliver_sm means), `addresses`, `times`,
`statuses`.  trio around it: `bind` (one network connection, from its handshake to its end), its halves
`sending` and `handing`, `pace`, `line` (binds kept up), and `transport`, which is all that others need.
"""
