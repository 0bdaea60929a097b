"""`ringful queues`: who waits in the queues of a running server, and who is ready to serve them."""

from pathlib import Path

from ringful.command.asking.client import client_of


def queues(
    name: str | None = None,
    *,
    key: str | None = None,
    secret: str | None = None,
    url: str | None = None,
    config: Path | None = None,
) -> None:
    """Show who waits in the queues of a key.

    Parameters
    ----------
    name
        The queue whose callers are shown, the next one first; without it, how each queue stands.
    key
        The key whose queues they are: its ID or its name; RINGFUL_KEY, or else the only one.
    secret
        Its secret, where it is not the store's: RINGFUL_SECRET.
    url
        The server's address, where it is not the configuration's.
    config
        The configuration; ringful.toml, where none is named.
    """
    client = client_of(config, url, key, secret)
    print(client.say("QueryQueues", {} if name is None else {"queue": name}) or "nobody waits")
