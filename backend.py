"""setuptools as the build backend (PEP 517), with the ziglang wheel where the system has no C compiler.

``setup.py`` compiles the native parts with whichever there is.
"""

import os
import shutil
from typing import Any

from setuptools.build_meta import *  # noqa: F403
from setuptools.build_meta import _BACKEND


def _compiler() -> list[str]:
    return [] if shutil.which(os.environ.get("CC", "cc").split()[0]) else ["ziglang>=0.13"]


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """See PEP 517."""
    return [*_BACKEND.get_requires_for_build_wheel(config_settings), *_compiler()]


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    """See PEP 660."""
    return [*_BACKEND.get_requires_for_build_editable(config_settings), *_compiler()]
