"""`ringful bench calls`: a whole server under calls, as its customers and its trunk see it.

The server is a process of its own (`server`), ours or any that is started by a command; so is the far
end (`far_end`), which has phones.  The customer's program is this process: it asks (`asking`), has a
web server that is told and that has the sounds (`web`), and may be 80 ms away (`relay`).  `jobs` are
what is asked for, `loads` many of them at once, `usage` what the server's processes take meanwhile, and
`results` makes figures of it all.
"""
