"""`ringful sign`: a signed URL."""

import time
from pathlib import Path

import trio

from ringful.command.client import base_of, find_key
from ringful.command.errors import CommandError
from ringful.command.settings import configuration
from ringful.http.reading.requests import METHODS, find_method
from ringful.http.signing import signed_url


def sign(
    method: str,
    *parameters: str,
    key: str | None = None,
    secret: str | None = None,
    url: str | None = None,
    post: bool = False,
    body: Path | None = None,
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
    body
        Sign for POST with this file as the body.
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
        found = trio.run(find_key, settings.store.url, key)
        key, secret = found.key, secret or found.secret
    if not any(name == "seq" for name, _ in pairs):
        # Milliseconds: increasing, also between one shell command and the next.
        pairs.append(("seq", str(time.time_ns() // 1_000_000)))
    base = base_of(settings, url)
    verb = "POST" if post or body else "GET"
    print(signed_url(secret, verb, base, f"/{method}/apikey/{key}", pairs, _read(body) if body else b""))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", 2) from error
