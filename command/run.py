"""`ringful run`: start a script on a running server, and follow it to its end."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringful.command.arguments.pairs import texts_and_values
from ringful.command.asking.client import client_of
from ringful.command.asking.following import Follower
from ringful.command.errors import CommandError
from ringful.command.showing.failures import told
from ringful.ground.files import read_text


def run(
    file: Path,
    *,
    param: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    url: str | None = None,
    key: str | None = None,
    secret: str | None = None,
    callback: str | None = None,
    label: str | None = None,
    detach: bool = False,
    config: Path | None = None,
) -> None:
    """Start a script on a running server, and print what happens as it happens.

    Exit 0 when it completed, and 1 when it was refused, did not, or something could not be played or
    recorded.  Ctrl-C hangs up and waits for the end; a second one leaves.

    Parameters
    ----------
    param
        A value of the script: order=A-1 takes the kind of the param's default, order:=3 is JSON.
    url
        The server's address; the configuration's, where none is given.
    key
        Whose: its ID or its name; RINGFUL_KEY, or else the only one of the store.
    secret
        Its secret; RINGFUL_SECRET, or else as the store has it.
    callback
        Where the end of the run is posted.
    label
        What the call is called, in lists and callbacks.
    detach
        Print the ID and leave.
    """
    texts, values = texts_and_values(param or ())
    client = client_of(config, url, key, secret)
    body = {
        "script": read_text(file),
        "file": file.name,
        "params": values,
        "callbackUrl": callback,
        "label": label,
    }
    call_id = client.say("Run", {f"param.{name}": text for name, text in texts.items()}, body=body)
    if detach:
        print(call_id)
        return
    print(f"ringful: {call_id} has started", file=sys.stderr)
    outcome = Follower(client, call_id).follow()
    if outcome != "completed":
        raise CommandError(f"{call_id} ended: {outcome}")
    if failures := client.ask("QueryCall", {"callId": call_id})["failures"]:
        raise CommandError(f"{call_id} has completed, but {told(failures)}")
    print(f"ringful: {call_id} has completed", file=sys.stderr)
