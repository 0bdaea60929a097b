"""What is known of a conference while it lives, and how calls reach it.

A door that is told one of `effects.ForConference` finds the run that it is for and puts `message`
into its inbox; where there is none, it answers with `unreached`.  The run is found by `is_name`: a
name is that of the live conference which has it under the same key, anything else is an ID.  Where
a name is opened or joined, and no live conference has it, the door makes one, with the ID that the
effect brings: the run alone gives IDs, to its legs and its conferences, so no two are the same.
"""

import re
from typing import assert_never

from attrs import define, field

from ringful.interpreter import effects, events


@define
class Conference:
    """Who is in a conference, and what it waits for: state only; `room` changes it."""

    plan: events.Plan
    members: dict[str, events.MemberCame] = field(factory=dict)
    """Who is in it, by leg, and how: *muted* and *deaf* are as they are now."""
    pending: dict[str, events.MemberCame] = field(factory=dict)
    """Who waits outside: moderators for the first other member, others for somebody who begins it."""
    heard_by: dict[str, str] = field(factory=dict)
    """Of those in it who coach: the leg that alone hears each now; empty: it is not there."""
    holders: set[str] = field(factory=set)
    """The calls that hold it: while there are any it does not end for being empty."""
    released: str = ""
    """What the last of them said as it let go."""
    begun: bool = False
    led: bool = False
    """Its moderator has been in it."""

    @property
    def everybody(self) -> tuple[events.MemberCame, ...]:
        """Who is in it, and who waits outside."""
        return *self.members.values(), *self.pending.values()


LONGEST_NAME = 64


def same_number(one: str, other: str) -> bool:
    """Say whether two ways of writing a number are the same: ``+1512…`` and ``1512…``."""
    return bool(one) and _plain(one) == _plain(other)


def _plain(number: str) -> str:
    return number.removeprefix("+").translate(str.maketrans("", "", " -()"))


def is_name(conference: str) -> bool:
    """Say whether *conference* is a name and not an ID: every ID has a dot, and no name has."""
    return "." not in conference


def bad_name(name: str) -> str:
    """Say why no conference can have *name*; nothing if one can."""
    if not is_name(name):
        return "a name has no dot"
    if not name.strip() or not name.isprintable():
        return "a name is a line of text"
    if len(name) > LONGEST_NAME:
        return f"a name has at most {LONGEST_NAME} characters"
    return ""


def word_of(name: str) -> str:
    """Give what the ID of the conference *name* ends with, which is made because somebody joins it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "room"


def unheld(name: str) -> events.Plan:
    """Give the plan of a conference that is made because somebody joins *name*: it ends when it is empty."""
    return events.Plan(name=name)


Message = events.MemberEvent | events.Queued


def message(call_id: str, effect: effects.ForConference) -> Message:
    """Give what the conference is told of *effect*, which the run *call_id* asks for."""
    match effect:
        case effects.OpenConference():
            return events.Held(call_id)
        case effects.ReleaseConference(_, why):
            return events.Released(call_id, why)
        case effects.JoinConference(leg, _, number, moderator, muted, deaf, waiting, most, alone):
            how = (moderator, muted, deaf, waiting, most, alone, effect.coaching)
            return events.MemberCame(call_id, leg, number, *how)
        case effects.LeaveConference(leg, _, why):
            return events.MemberWent(leg, why)
        case effects.PassTone(leg, _, tone):
            return events.MemberPressed(leg, tone)
        case effects.QueueOn(_, statement):
            return events.Queued(0, statement)
        case effects.EndConference():
            return events.EndWanted(call_id)
        case effects.ChangeMembers(_, change, who, by):
            return events.MembersChange(change, who, by, call_id)
        case _:
            assert_never(effect)


def unreached(effect: effects.ForConference, *, ended: bool, refused: bool = False) -> events.Event | None:
    """Give what the asking call is told where there is no conference for *effect*, or it has *ended*.

    *refused*: it could not be made, since there were as many as there may be.
    """
    if refused:
        detail = f"the conference {effect.conference} could not be made: there are as many as there may be"
    elif is_name(effect.conference):
        detail = f"nobody is in a conference {effect.conference}"
    elif ended:
        detail = f"the conference {effect.conference} has ended"
    else:
        detail = f"there is no conference {effect.conference}"
    match effect:
        case effects.JoinConference(leg, name):
            why = "capacity" if refused else "ended" if ended else "unknown"
            return events.Left(leg, name, why, detail=detail)
        case effects.QueueOn(name) | effects.ChangeMembers(name) | effects.EndConference(name):
            return events.NotReached(name, detail)
        case _:
            return None
