"""`ringful sign`: a signed URL."""

import time
from pathlib import Path
from urllib.parse import urlsplit

import trio

from ringful.command.errors import CommandError
from ringful.command.settings import configuration
from ringful.http.requests import METHODS, find_method
from ringful.http.signing import signed_url
from ringful.store.open import open_store
from ringful.store.port import Key


def sign(
    method: str,
    *parameters: str,
    key: str | None = None,
    secret: str | None = None,
    url: str | None = None,
    post: bool = False,
    config: Path | None = None,
) -> None:
    """Print a signed URL: ringful sign Call callee=15125551234.

    Parameters
    ----------
    key
        Whose; the newest key, where none is named.
    secret
        Its secret; read from the store, where none is given.
    url
        The server's address; the configuration's, where none is given.
    post
        Sign for POST instead of GET.
    """
    if find_method(method) is None:
        raise CommandError(f"there is no method {method}; there are: {', '.join(METHODS)}", 2)
    pairs = []
    for one in parameters:
        name, equals, value = one.partition("=")
        if not equals:
            raise CommandError(f"{one!r}: expected name=value", 2)
        pairs.append((name, value))
    settings = configuration(config)
    if secret is None or key is None:
        found = trio.run(_find, settings.store.url, key)
        key, secret = found.key, secret or found.secret
    if not any(name == "seq" for name, _ in pairs):
        # Milliseconds: increasing, also between one shell command and the next.
        pairs.append(("seq", str(time.time_ns() // 1_000_000)))
    base = url or settings.http.public_url or f"http://{settings.http.bind}"
    if not urlsplit(base).scheme:
        raise CommandError(f"{base!r}: expected an address such as http://127.0.0.1:8080", 2)
    print(signed_url(secret, "POST" if post else "GET", base, f"/{method}/apikey/{key}", pairs))


async def _find(store_url: str, wanted: str | None) -> Key:
    async with open_store(store_url) as store:
        keys = [key for key in await store.keys() if key.revoked is None and wanted in (None, key.key)]
    if not keys:
        raise CommandError("there is no such key; make one: ringful keys add NAME")
    return max(keys, key=lambda known: known.created)
