"""Numbers: how they are written, and whose they are."""

import pytest

from ringful.interpreter.calls.e164 import e164
from ringful.interpreter.calls.numbers import Numbers, NumberTaken
from ringful.store.open import open_store
from ringful.store.port import Key, Number, StoreError, Write

ANN, BOB = Key("K1", "s", "ann", 1.0), Key("K2", "s", "bob", 1.0)
OURS = "+18005550000"


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+18005550000", "US", OURS),
        ("18005550000", "US", OURS),
        ("8005550000", "US", OURS),
        ("02071838750", "GB", "+442071838750"),
        ("442071838750", "US", "+442071838750"),
        ("00442071838750", "US", "+442071838750"),
        ("0018005550000", "GB", OURS),
        ("011442071838750", "US", "+442071838750"),
        ("0044", "US", None),
        ("000", "US", None),
        ("100", "US", None),
        ("alice", "US", None),
        ("", "US", None),
        ("+1800555000012345", "US", None),
    ],
)
def test_a_number_as_the_whole_world_writes_it(written: str, country: str, number: str | None) -> None:
    assert e164(written, country) == number


async def test_numbers_are_found_however_they_are_dialled_and_kept(tmp_path):
    place = f"sqlite:///{tmp_path}/ringful.db"
    async with open_store(place) as store:
        numbers = Numbers(store, "US")
        bound = Number(OURS, "K1", 2.0, "greet", 3, {"box": OURS, "wait": {"$ms": 500}}, "http://h/")
        await numbers.bind(ANN, bound, [("K1", 7)])
        await numbers.bind(ANN, Number("100", "K1", 2.0, callback_url="http://h/"), [])
        assert [numbers.at(one) for one in (OURS, "8005550000", "100", "+18005550001")] == [
            bound,
            bound,
            numbers.at("100"),
            None,
        ]
        with pytest.raises(NumberTaken):
            await numbers.bind(BOB, Number("+18005550000", "K2", 2.0), [])
        await numbers.free(ANN, "100", [])
        assert 7 in await store.used_seqs("K1")
    async with open_store(place) as store:
        numbers = Numbers(store, "US")
        await numbers.load()
        assert numbers.of(ANN) == [bound]
        assert numbers.of(BOB) == []


class Broken:
    """A store that keeps nothing."""

    def submit(self, write: Write) -> "Broken":
        return self

    async def wait(self) -> None:
        raise StoreError("the disk is full")


async def test_what_cannot_be_kept_is_not_bound():
    numbers = Numbers(Broken(), "US")  # type: ignore[arg-type]
    with pytest.raises(StoreError):
        await numbers.bind(ANN, Number(OURS, "K1", 2.0), [])
    assert numbers.at(OURS) is None
