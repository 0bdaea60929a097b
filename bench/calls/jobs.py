"""What the customer's program does with one call, and what it is told of it."""

import time
from collections.abc import Mapping

import trio
from attrs import define, field, frozen

from ringful.bench.calls.asking import Asker, RefusedError
from ringful.bench.calls.parts import Part

FIRST, SECOND, BEEP = "/first.wav", "/second.wav", "/beep.wav"
FINAL = ("CalleeHangUp", "ServerHangup", "CallFailed")
MAIN_JOB = (
    "CallEstablished",
    "PlayStart",
    "PlayComplete",
    "PlayStart",
    "PlayComplete",
    "WaitForToneDetected",
    "RecordStart",
    "RecordComplete",
    "CalleeHangUp",
)
"""The nine callbacks of the main job, in their order."""
BRIEF = ("CallEstablished", "CalleeHangUp")
PATIENCE = 60.0
"""Seconds after which a call that has not ended has failed."""


@frozen
class Told:
    """A callback, and when it came: the machine's clock in nanoseconds."""

    action: str
    at: int
    fields: Mapping[str, str]


@define(eq=False)
class Job:
    """One call as its customer sees it; times are the machine's clock in nanoseconds, 0 for never."""

    number: str
    expected: tuple[str, ...]
    asked: int = 0
    """The request for the call was sent."""
    taken: int = 0
    """It was answered."""
    call_id: str = ""
    told: list[Told] = field(factory=list)
    refused: bool = False
    """The server would not have it: 429 or 503."""
    failure: str = ""
    over: trio.Event = field(factory=trio.Event)
    events: set[str] = field(factory=set)

    def at(self, action: str) -> int:
        """Say when *action* was told; 0 where it never was."""
        return next((one.at for one in self.told if one.action == action), 0)


class Jobs:
    """All calls of a load by their numbers; they are told by URLs that end with these."""

    def __init__(self) -> None:
        self.all: dict[str, Job] = {}

    def begin(self, part: Part) -> Job:
        """Give a new call to a phone that does *part*."""
        number = part.number(len(self.all))
        expected = {Part.MAIN: MAIN_JOB, Part.HELD: ("CallEstablished", "ServerHangup")}.get(part, BRIEF)
        job = self.all[number] = Job(number, expected)
        return job

    def receive(self, path: str, fields: Mapping[str, str], at: int) -> None:
        """Take a callback; one that came before is known by its event."""
        job = self.all.get(path.rpartition("/")[2])
        if job is None or fields.get("event", "") in job.events:
            return
        if event := fields.get("event"):
            job.events.add(event)
        action = fields.get("action", "")
        job.told.append(Told(action, at, fields))
        if action in FINAL:
            job.over.set()


async def place(asker: Asker, job: Job, web: str) -> bool:
    """Ask for the call; say whether it was taken."""
    job.asked = time.time_ns()
    try:
        job.call_id = await asker.ask("Call", callee=job.number, callbackUrl=f"{web}/{job.number}")
    except RefusedError as error:
        job.refused, job.failure = error.status in (429, 503), str(error)
        return False
    job.taken = time.time_ns()
    return True


async def main_job(asker: Asker, job: Job, web: str) -> None:
    """Queue all that the main job is, at once, and wait until the phone has hung up."""
    if not await place(asker, job, web):
        return
    url = f"{web}/{job.number}"
    call = {"callId": job.call_id}
    try:
        await asker.ask("Play", **call, announcement=f"{web}{FIRST}", callbackUrl=url)
        await asker.ask("Play", **call, announcement=f"{web}{SECOND}", callbackUrl=url)
        await asker.ask("WaitForTone", **call, tone="1", callbackUrl=url)
        await asker.ask("Play", **call, announcement=f"{web}{BEEP}")
        await asker.ask("Record", **call, callbackUrl=url)
    except RefusedError as error:
        job.failure = str(error)
    await ended(job)


async def brief(asker: Asker, job: Job, web: str) -> None:
    """Have a call that its phone ends."""
    if await place(asker, job, web):
        await ended(job)


async def ended(job: Job) -> None:
    """Wait until *job* is over, for `PATIENCE`."""
    with trio.move_on_after(PATIENCE):
        await job.over.wait()
        return
    job.failure = job.failure or f"its end was not told within {PATIENCE:g} s"
