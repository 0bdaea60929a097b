"""Sound through Python is held to the contracts that sound through C is: phones, and rooms."""

from pathlib import Path

import pytest

from tests.phones_contract import CONTRACT
from tests.rooms_contract import ROOMS
from tests.simulation.test_phones import Check, RoomCheck, real


@pytest.fixture(autouse=True)
def python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFUL_ENGINE", "python")


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__.removeprefix("check_"))
async def test_phones(check: Check, tmp_path: Path) -> None:
    async with real(tmp_path) as rig:
        assert rig.phones.crew.engine.startswith("python")
        await check(rig)


@pytest.mark.parametrize("check", ROOMS, ids=lambda check: check.__name__.removeprefix("check_"))
async def test_rooms(check: RoomCheck, tmp_path: Path) -> None:
    async with real(tmp_path) as rig:
        assert rig.phones.crew.engine.startswith("python")
        await check(rig)
