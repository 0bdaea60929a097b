"""`ringful bench media`: real calls on the real pool, and the far end that answers them.

The far end is a process of its own (`far_end`), so that its work is not counted as the server's; `peer`
is one phone of it, and `sip` how it is rung.  `jobs` and `conferences` are what the node orders, by
`media.port` alone; `measured` looks at the processes meanwhile, and `results` makes figures of it all.
"""
