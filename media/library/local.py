"""Sounds that lie in the library's folders: which file each is, and how long it lasts."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ringful.media.sounds import SoundError


def file_of(url: str, folders: Sequence[Path]) -> Path:
    """Give the file of *url* (a name, or ``file:``) in *folders*, which are resolved.  Raises SoundError."""
    if url.lower().startswith("file:"):
        candidates = [_path_of(url)]
    else:
        candidates = [folder / f"{url}{ending}" for folder in folders for ending in ("", ".wav")]
    for candidate in candidates:
        try:
            found = candidate.resolve()
        except (OSError, ValueError, RuntimeError) as error:  # Too long, a NUL, links in a circle.
            raise SoundError(f"no file can have this name: {error}") from error
        inside = any(found.is_relative_to(folder) for folder in folders)
        if inside and found.is_file():
            return found
        if url.lower().startswith("file:") and not inside:
            raise SoundError("it is outside the folders that announcements may be played from")
    raise SoundError(
        "there is no such file" if url.lower().startswith("file:") else "the library has no such sound"
    )


def _path_of(url: str) -> Path:
    try:
        return Path(unquote(urlsplit(url).path))
    except ValueError as error:
        raise SoundError(f"it is no file URL: {error}") from error


def milliseconds_of(url: str, folders: Sequence[Path]) -> int | None:
    """Say how long the sound of *url* lasts, where it lies in *folders* and can be read."""
    # Only whoever asks for lengths needs the decoders: a server has them in a process of their own.
    from ringful.media.library.convert import duration_ms

    try:
        return duration_ms(file_of(url, [folder.resolve() for folder in folders]))
    except SoundError:
        return None
