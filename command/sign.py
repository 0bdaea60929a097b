"""`ringful sign`: a signed URL."""

from pathlib import Path

from ringful.command.arguments.pairs import pair
from ringful.command.asking.signing import base_of, find_key, next_seq
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.http.reading.methods import METHODS, find_method
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
        Whose: its ID or its name; RINGFUL_KEY, or else the only one of the store.
    secret
        Its secret; RINGFUL_SECRET, or else as the store has it.
    url
        The server's address; the configuration's, where none is given.
    post
        Sign for POST instead of GET.
    body
        Sign for POST with this file as the body.
    """
    if find_method(method) is None:
        raise CommandError(f"there is no method {method}; there are: {', '.join(METHODS)}", 2)
    pairs = [pair(one) for one in parameters]
    settings = configuration(config)
    found = find_key(settings, key, secret)
    if not any(name == "seq" for name, _ in pairs):
        pairs.append(("seq", str(next_seq(found.newest))))
    base = base_of(settings, url)
    verb = "POST" if post or body else "GET"
    path = f"/{method}/apikey/{found.key}"
    print(signed_url(found.secret, verb, base, path, pairs, _read(body) if body else b""))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", 2) from error
