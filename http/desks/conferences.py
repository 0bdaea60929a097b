"""The methods about conferences: each becomes statements on calls, or something done at once."""

from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from attrs import frozen

from ringful.http.authenticate import Answer, Asking
from ringful.http.desks.library import Library
from ringful.http.reading.compile import (
    compile_join,
    compile_leave,
    compile_moderators_call,
    compile_opening,
    compile_task,
)
from ringful.http.reading.conferences import (
    ChangeConf,
    CoachConf,
    ConfCall,
    ConferenceTask,
    HangupConf,
    JoinConf,
    LeaveConf,
    QueryConf,
    StartConf,
)
from ringful.http.reading.given import fit
from ringful.http.reading.immediate import immediate
from ringful.http.reading.requests import OnConference, StopToneDetector
from ringful.http.reading.scripts import Given
from ringful.interpreter.calls.conferences import Conferences, ConferenceView, MemberView, Opening, Who
from ringful.interpreter.events import Started
from ringful.interpreter.tell import stamp_if
from ringful.interpreter.values import Value
from ringful.store.port import Key, UsedSeq

SCRIPT = "confcall"
"""The script that `ConfCall` runs, which comes with ringful."""
NOTHING: Answer = ("", {})


@frozen
class ConferenceDesk:
    """What the façade asks about conferences."""

    conferences: Conferences
    library: Library

    async def answer(self, key: Key, asked: ConferenceTask | OnConference, asking: Asking) -> Answer:
        """Do what was asked, and keep the answer with it."""
        match asked:
            case StartConf():
                return await self._start(key, asked, asking)
            case ConfCall():
                return await self._call(key, asked, asking)
        conferences, seqs = self.conferences, asking.used(NOTHING)
        match asked:
            case JoinConf(conference, call_id):
                await conferences.join(key, conference, call_id, compile_join(asked), seqs=seqs)
            case LeaveConf(conference, call_id, at_once):
                leave = None if at_once else compile_leave(asked)
                await conferences.leave(key, conference, call_id, leave, seqs=seqs)
            case HangupConf(conference):
                await conferences.end(key, conference, seqs=seqs)
            case ChangeConf(conference, change, leg, phone, but):
                await conferences.change(key, conference, change, Who(leg, phone, but), seqs=seqs)
            case CoachConf(conference, leg, coach):
                await conferences.coach(key, conference, leg, coach, seqs=seqs)
            case OnConference():
                await self._do(key, asked, seqs)
        return NOTHING

    async def look(self, key: Key, asked: QueryConf) -> Answer:
        """Tell who is in a conference: as the reference's XML, or as JSON."""
        view = await self.conferences.look(key, asked.conference)
        return as_xml(view), as_json(view)

    async def _start(self, key: Key, asked: StartConf, asking: Asking) -> Answer:
        name = f"conf_{token_hex(4)}"
        made, join = compile_opening(asked, name)
        ring = Started(compile_moderators_call(asked, name))
        opening = Opening(asked.moderator, made, join, ring, asked.call_id)
        return _told(await self.conferences.open(key, opening, lambda one: asking.used(_told(one))))

    async def _call(self, key: Key, asked: ConfCall, asking: Asking) -> Answer:
        checked = await self.library.shipped(SCRIPT)
        checked.diagnosis.hold()
        values: dict[str, Value] = {
            "moderator": asked.moderator,
            "attendees": asked.attendees,
            "wait_tone_audio": asked.wait_tone_audio,
            "expected_tone": asked.expected_tone,
            "wait_connect_audio": asked.wait_connect_audio,
            "callback": asked.callback_url,
        }
        started = Started(
            checked.source.script,
            fit(Given(values=values), checked.source.script),
            uses=checked.source.used_scripts,
            origin=checked.origin,
            label=asked.label or "",
        )
        await self.library.hold_cost(key, started)
        numbers = (asked.moderator, *asked.attendees)
        made = await self.conferences.call(key, numbers, started, lambda one: asking.used(_told(one)))
        return _told(made)

    async def _do(self, key: Key, asked: OnConference, seqs: Sequence[UsedSeq]) -> None:
        task, operation = asked.task, immediate(asked.task)
        if operation is None:
            await self.conferences.queue(key, task.call_id, compile_task(task), seqs=seqs)
            return
        notify = task.callback_url if isinstance(task, StopToneDetector) else None
        await self.conferences.interrupt(key, task.call_id, operation, notify=notify, seqs=seqs)


def _told(conference: str) -> Answer:
    return f"{conference}\n", {"confCallId": conference}


def as_xml(view: ConferenceView) -> str:
    """Give who is in a conference in the reference's form."""
    leader = view.moderator or MemberView("", "", "called")
    lines = ["<conference>", "    <moderator>", *_xml(leader, 8), "    </moderator>", "    <participants>"]
    for one in view.participants:
        lines += ["        <participant>", *_xml(one, 12), "        </participant>"]
    lines += ["    </participants>", "</conference>"]
    return "".join(f"{line}\n" for line in lines)


def _xml(member: MemberView, indent: int) -> list[str]:
    margin = " " * indent
    return [f"{margin}<phone>{_escaped(member.phone)}</phone>", f"{margin}<id>{_escaped(member.id)}</id>"]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_json(view: ConferenceView) -> dict[str, Any]:
    """Give who is in a conference, and how."""
    return {
        "confCallId": view.conference,
        "name": view.name or None,
        "state": "waiting" if view.begun is None else "up",
        "begun": stamp_if(view.begun),
        "most": view.most,
        "moderator": None if view.moderator is None else _member(view.moderator),
        "participants": [_member(one) for one in view.participants],
        "waiting": [_member(one) for one in view.waiting],
    }


def _member(member: MemberView) -> dict[str, Any]:
    return {
        "phone": member.phone,
        "id": member.id,
        "state": member.state,
        "muted": member.muted,
        "deaf": member.deaf,
        "coaches": member.coaching or None,
        "speaks": member.speaks,
    }
