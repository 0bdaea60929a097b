"""Compile the native parts into the package; all else about it is in pyproject.toml.

Each is a plain shared library that is loaded by ctypes: it needs no header of Python or of pjproject, and
one build serves every Python.  Where one cannot be compiled the package is built without it, and Python
does the same, only slower.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

NATIVE = {
    "ringful.media.engine.libsound": ("media/engine/csrc", "sound will pass through Python"),
    "ringful.grammar.reading.moves.libmoves": (
        "grammar/reading/moves/csrc",
        "scripts will be read in Python",
    ),
}
"""Where the sources of each library lie, and what becomes of its work without it."""
FLAGS = ["-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=default", "-Wall", "-Wextra", "-Werror"]


def compiler() -> list[str]:
    """Give the command of a C compiler, or nothing."""
    system = os.environ.get("CC", "cc").split()
    if shutil.which(system[0]):
        return system
    return [sys.executable, "-m", "ziglang", "cc"] if importlib.util.find_spec("ziglang") else []


class BuildNative(build_ext):
    """Compile the sources into one shared library, by one command."""

    def get_ext_filename(self, fullname: str) -> str:
        """Give the library's path, which no version of Python is part of."""
        *folders, name = fullname.split(".")
        return os.path.join(*folders, f"{name}.so")

    def build_extension(self, ext: Extension) -> None:
        """Compile *ext*."""
        command, target = compiler(), Path(self.get_ext_fullpath(ext.name))
        otherwise = NATIVE[ext.name][1]
        target.parent.mkdir(parents=True, exist_ok=True)
        # What was built of other sources must not stay where nothing is built now.
        target.unlink(missing_ok=True)
        if not command:
            self.warn(f"there is no C compiler: {otherwise}")
            return
        part = target.with_suffix(".part")
        try:
            subprocess.run([*command, *FLAGS, "-o", str(part), *sorted(ext.sources)], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.warn(f"{target.name} could not be compiled, so {otherwise}: {error}")
        else:
            part.replace(target)


class NativeWheel(bdist_wheel):
    """A wheel for every Python of this platform."""

    def get_tag(self) -> tuple[str, str, str]:
        """Give the tags."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[
        Extension(
            name,
            sources=[str(path) for path in sorted(Path(folder).glob("*.c"))],
            depends=[str(path) for path in sorted(Path(folder).glob("*.h"))],
            optional=True,
        )
        for name, (folder, _) in NATIVE.items()
    ],
    cmdclass={"build_ext": BuildNative, "bdist_wheel": NativeWheel},
)
