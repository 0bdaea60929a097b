"""Messages that cross, come twice, late or never, and answers in several steps or from several phones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from ringful.media import port
from tests.media.sip_peer import Call, Peer, sdp, sip_peer
from tests.media.test_pool import Line, line, write_tone
from tests.media.test_within_calls import answered
from tests.server import PATIENCE

PROMPT = 1000


@asynccontextmanager
async def ringing(folder: Path) -> AsyncIterator[tuple[Line, Peer, Call]]:
    """Give a call of ours, to a peer that has said nothing to it yet."""
    write_tone(folder / "prompt.wav", PROMPT, 60)
    async with sip_peer() as peer, line(folder) as calls:
        calls.ring("a", peer.address)
        yield calls, peer, await peer.called()


@asynccontextmanager
async def calling(folder: Path, *headers: str) -> AsyncIterator[tuple[Line, Peer, Call]]:
    """Give a call of the peer that rings here."""
    async with sip_peer() as peer, line(folder) as calls:
        calls.pool.open(lambda offer: port.Taken("a", calls.send.send_nowait))
        call = await peer.call(calls.pool.addresses[0], "+1800", *headers, sdp=sdp(4444))
        yield calls, peer, call


async def until(peer: Peer, *methods: str) -> None:
    """Wait until so many requests of each method have come."""
    with trio.fail_after(PATIENCE):
        for method in methods:
            await peer.request(method)


async def test_the_sound_of_the_answer_counts_and_not_that_before_it(tmp_path: Path) -> None:
    """183 with SDP says where it rings, and 200 with another where it was answered."""
    async with ringing(tmp_path) as (calls, peer, call):
        early, late = await peer.mouth(450), await peer.mouth(650)
        late.heard_at = 8
        await call.answer(183, sdp=sdp(early.port))
        await calls.next(port.Ringing)
        await call.answer(200, sdp=sdp(late.port, codecs="8 101"))
        await calls.next(port.Answered)
        calls.pool.play("a", 1, port.Announcement("prompt.wav"))
        await late.until_heard(PROMPT, 10)
        early.heard.clear()
        await late.until_heard(PROMPT, 30)
        assert not early.heard
        assert len([one for one in calls.told if isinstance(one, port.Ringing)]) == 1


async def test_one_of_several_phones_answers(tmp_path: Path) -> None:
    async with ringing(tmp_path) as (calls, peer, call):
        one, two = await peer.mouth(450), await peer.mouth(650)
        await call.answer(183, sdp=sdp(one.port), tag="one")
        await call.answer(183, sdp=sdp(two.port), tag="two")
        await call.answer(200, sdp=sdp(two.port), tag="two")
        assert (await peer.request("ACK")).header("to").endswith(";tag=two")
        await calls.next(port.Answered)
        calls.pool.play("a", 1, port.Announcement("prompt.wav"))
        await two.until_heard(PROMPT, 10)
        call.ours = call.ours.partition(";tag=")[0] + ";tag=two"
        await call.hang_up()
        assert (await calls.next(port.HungUp)).by == "callee"


async def test_a_second_phone_that_answers_is_hung_up(tmp_path: Path) -> None:
    async with ringing(tmp_path) as (calls, peer, call):
        await call.answer(200, sdp=sdp(4444), tag="one")
        await call.answer(200, sdp=sdp(5555), tag="two")
        assert (await peer.request("BYE")).header("to").endswith(";tag=two")
        await calls.next(port.Answered)
        call.ours = call.ours.partition(";tag=")[0] + ";tag=one"
        await call.hang_up()
        assert (await calls.next(port.HungUp)).by == "callee"


async def test_reliable_provisional_answers(tmp_path: Path) -> None:
    """The second of them carries the sound's answer, and the 200 has none (RFC 3262)."""
    async with ringing(tmp_path) as (calls, peer, call):
        mouth = await peer.mouth()
        for number, (status, body) in enumerate([(180, ""), (183, sdp(mouth.port))], 1):
            await call.answer(status, "Require: 100rel", f"RSeq: {number}", sdp=body)
            prack = await peer.request("PRACK")
            assert prack.header("rack").startswith(f"{number} ")
            await call.answer(200, to=prack)
        await call.answer(200)
        await calls.next(port.Answered)
        calls.pool.play("a", 1, port.Announcement("prompt.wav"))
        await mouth.until_heard(PROMPT, 10)


async def test_a_caller_that_requires_reliable_answers(tmp_path: Path) -> None:
    async with calling(tmp_path, "Require: 100rel") as (calls, _, call):
        rings = await call.provisional(180)
        invite = call.number
        assert (await call.ask("PRACK", f"RAck: {rings.header('rseq')} {invite} INVITE")).status == 200
        calls.pool.answer("a")
        said = await call.final(invite)
        call.number = invite
        await call.ack(said)
        await calls.next(port.Answered)


async def test_a_200_that_comes_again_is_acknowledged_again(tmp_path: Path) -> None:
    async with ringing(tmp_path) as (calls, peer, call):
        for _ in range(3):
            await call.answer(200, sdp=sdp(4444))
        await until(peer, "ACK", "ACK", "ACK")
        await calls.next(port.Answered)
        await call.hang_up()
        assert (await calls.next(port.HungUp)).by == "callee"
        assert len([one for one in calls.told if isinstance(one, port.Answered)]) == 1


async def test_a_200_that_crosses_our_cancel_is_hung_up(tmp_path: Path) -> None:
    async with ringing(tmp_path) as (calls, peer, call):
        await call.answer(180)
        await calls.next(port.Ringing)
        calls.pool.hang_up("a")
        cancel = await peer.request("CANCEL")
        await call.answer(200, sdp=sdp(4444))
        await call.answer(481, to=cancel)
        await until(peer, "ACK", "BYE")
        refused = await calls.next(port.Refused)
        assert (refused.reason, refused.sip_status) == ("cancelled", 487)


async def test_a_cancel_that_crosses_our_200_changes_nothing(tmp_path: Path) -> None:
    async with calling(tmp_path) as (calls, _, call):
        await call.provisional(180)
        calls.pool.answer("a")
        said = await call.final()
        assert (await call.cancel()).status == 200
        await call.ack(said)
        await calls.next(port.Answered)
        await call.hang_up()
        assert (await calls.next(port.HungUp)).by == "callee"


async def test_a_bye_before_the_ack_is_a_caller_that_gave_up(tmp_path: Path) -> None:
    async with calling(tmp_path) as (calls, _, call):
        await call.provisional(180)
        calls.pool.answer("a")
        await call.final()
        assert (await call.hang_up()).status == 200
        refused = await calls.next(port.Refused)
        assert (refused.reason, refused.sip_status) == ("cancelled", 487)


async def test_an_ack_that_is_lost_comes_with_the_next_200(tmp_path: Path) -> None:
    async with calling(tmp_path) as (calls, peer, call):
        await call.provisional(180)
        calls.pool.answer("a")
        invite = call.number
        await call.final(invite)
        await call.ack(await call.final(invite))
        await calls.next(port.Answered)
        await call.hang_up()
        assert (await calls.next(port.HungUp)).by == "callee"
        assert not [one for one in peer.came if one.method == "BYE" and not one.status]


async def test_who_never_acknowledges_is_hung_up(tmp_path: Path) -> None:
    async with calling(tmp_path) as (calls, peer, call):
        await call.provisional(180)
        calls.pool.answer("a")
        await peer.request("BYE")
        assert (await calls.next(port.Refused)).sip_status == 408


async def test_a_second_re_invite_before_the_first_is_done_has_to_wait(tmp_path: Path) -> None:
    """RFC 3261, 14.2: 500, and when to try again."""
    async with sip_peer() as peer, line(tmp_path) as calls:
        call, mouth = await answered(calls, peer)
        first = await call.begin("INVITE", sdp=sdp(mouth.port, version=2))
        second = await call.begin("INVITE", sdp=sdp(mouth.port, version=3))
        refused = await call.final(second)
        assert (refused.status, int(refused.header("retry-after")) <= 10) == (500, True)
        said = await call.final(first)
        assert said.status == 200
        call.number = first
        await call.ack(said)
        call.number = second
        assert (await call.ask("INVITE", sdp=sdp(mouth.port, version=4))).status == 200


async def test_sound_may_move_before_the_answer(tmp_path: Path) -> None:
    """UPDATE while it rings, once sound is agreed on (RFC 3311, 5.1)."""
    async with ringing(tmp_path) as (calls, peer, call):
        early, late = await peer.mouth(450), await peer.mouth(650)
        await call.answer(183, "Require: 100rel", "RSeq: 1", sdp=sdp(early.port))
        await call.answer(200, to=await peer.request("PRACK"))
        moved = await call.ask("UPDATE", sdp=sdp(late.port, version=2))
        assert (moved.status, moved.direction) == (200, "sendrecv")
        assert (await call.ask("OPTIONS")).status == 200
        await call.answer(200)
        await calls.next(port.Answered)
        calls.pool.play("a", 1, port.Announcement("prompt.wav"))
        await late.until_heard(PROMPT, 10)
        assert not early.pitches()


async def test_a_session_interval_that_is_too_short_is_made_longer(tmp_path: Path) -> None:
    async with ringing(tmp_path) as (calls, peer, call):
        await call.answer(422, "Min-SE: 3600")
        again = await peer.request("INVITE")
        assert again.header("session-expires") == "3600"
        await peer.of(again).answer(200, sdp=sdp(4444))
        await calls.next(port.Answered)


async def test_a_bye_while_it_rings_is_a_refusal(tmp_path: Path) -> None:
    async with ringing(tmp_path) as (calls, _, call):
        await call.answer(180)
        assert (await call.hang_up()).status == 200
        refused = await calls.next(port.Refused)
        assert (refused.reason, refused.sip_status) == ("rejected", None)
