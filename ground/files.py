"""Files of authors: read with a readable complaint, written so that they are whole at any moment."""

import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile

from ringful.ground.complaint import Complaint


def read_text(file: Path) -> str:
    """Read *file*, whose line ends are a part of the form.  Raises Complaint."""
    try:
        return file.read_bytes().decode()
    except OSError as error:
        raise Complaint(f"{file}: {error.strerror}", 2) from error
    except UnicodeDecodeError:
        raise Complaint(f"{file}: it is no UTF-8 text") from None


def keep_private() -> None:
    """Let only their owner read the files that this process makes from now on: secrets, and recordings."""
    os.umask(0o077)


def write_whole(file: Path, text: str) -> None:
    """Put *text* in the place of *file*, all of it or nothing.  Raises Complaint."""
    file = file.resolve()
    try:
        with NamedTemporaryFile("wb", dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
            new.write(text.encode())
        if file.exists():
            shutil.copymode(file, new.name)
        else:
            # A temporary file is its owner's alone; a new one is everybody's to read, as any other.
            os.chmod(new.name, 0o644)
        os.replace(new.name, file)
    except OSError as error:
        raise Complaint(f"{file}: {error.strerror}", 2) from error
