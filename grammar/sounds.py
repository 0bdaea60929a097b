"""How fast a sound may be heard."""

from decimal import Decimal
from typing import Final

SLOWEST: Final = Decimal("0.5")
FASTEST: Final = Decimal("2")
STEP: Final = Decimal("0.05")
"""Speeds are rounded to it: each is a sound of its own, which is made and kept."""
UP_OR_DOWN: Final = Decimal("0.25")
"""By how much ``speed up`` and ``speed down`` change it."""
