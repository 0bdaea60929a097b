"""What is known of a conference while it lives: state only; `room` changes it."""

from attrs import define, field

from ringful.interpreter import events


@define
class Conference:
    """Who is in a conference, and what it waits for."""

    plan: events.Plan
    members: dict[str, events.MemberCame] = field(factory=dict)
    """Who is in it, by leg."""
    pending: dict[str, events.MemberCame] = field(factory=dict)
    """Moderators that are brought in with the first other member."""
    begun: bool = False
    released: bool = False
    """The call that made it has ended: nobody new is to be expected once it is empty."""
