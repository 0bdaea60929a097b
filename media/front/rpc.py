"""Asking Kamailio: JSON-RPC 2.0 over its datagram socket."""

import json
import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

import trio

_SECONDS = 2.0
_MOST = 1 << 18


class RpcError(Exception):
    """It does not answer, or does not do what it is asked."""


async def rpc(folder: Path, method: str, *parameters: object, seconds: float = _SECONDS) -> Any:
    """Give what the front in *folder* answers.  Raises RpcError."""
    here = folder / f"ask-{token_hex(4)}"
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    try:
        with trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_DGRAM) as ours:
            await ours.bind(str(here))
            # It may run as somebody else, who must be able to answer.
            os.chmod(here, 0o666)
            await ours.connect(str(folder / "rpc"))
            await ours.send(json.dumps(asked).encode())
            with trio.fail_after(seconds):
                answer = json.loads(await ours.recv(_MOST))
    except (OSError, trio.TooSlowError, ValueError) as error:
        raise RpcError(f"{method}: {error or 'no answer'}") from error
    finally:
        with suppress(OSError):
            here.unlink()
    if not isinstance(answer, dict) or "error" in answer:
        raise RpcError(f"{method}: {answer}")
    return answer.get("result")
