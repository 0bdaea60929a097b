"""Numbers: how they are written, and whose they are."""

import pytest

from ringful.interpreter.calls.e164 import Plan, e164
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


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("442071838750", "US", "+442071838750"),
        ("8005550000", "US", "+18005550000"),  # There is no such number in the country 80.
        ("6563234567", "US", "+6563234567"),  # In Singapore, and not in Florida.
        ("+18005550000", "GB", OURS),
        ("alice", "US", None),
    ],
)
def test_a_number_of_a_trunk_that_writes_no_national_ones(
    written: str, country: str, number: str | None
) -> None:
    assert e164(written, country, whole=True) == number


async def test_a_trunks_numbers_are_of_its_own_country(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as store:
        numbers = Numbers(store, "US", {"london": Plan("GB"), "whole": Plan("US", whole=True)})
        await numbers.bind(ANN, Number("+442071838750", "K1", 1.0), ())
        assert numbers.at("02071838750") is None
        found = numbers.at("02071838750", "london")
        assert found
        assert found.number == "+442071838750"
        assert numbers.known("442071838750", "whole") == "+442071838750"
        assert numbers.known("6563234567", "whole") == "+6563234567"
        assert numbers.known("6563234567", "nobody") == "+16563234567"


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
