"""Where the database's file is, and whether it is still the one that was opened."""

from pathlib import Path

from attrs import frozen
from sqlalchemy import URL


@frozen
class Place:
    """A database's file as it was when it was opened; without a *path*, a server elsewhere has it."""

    path: Path | None
    file: tuple[int, int] | None

    def why_moved(self) -> str:
        """Say what has become of the file; nothing while it is where it was."""
        if self.path is None:
            return ""
        now = _file(self.path)
        if now is None:
            return f"{self.path}: the database was moved away or deleted while it is in use"
        if now != self.file:
            return f"{self.path}: another file is in the place of the database that is in use"
        return ""


def place_of(url: URL) -> Place:
    """Find the file of the database at *url*, which is there."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return Place(None, None)
    path = Path(url.database).absolute()
    return Place(path, _file(path))


def _file(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
