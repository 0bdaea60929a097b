"""The desk for callbacks: tell what was not delivered, and have it sent again.

A key sees its own alone.  What is to be sent again is only marked in the store; the deliverer takes
it from there, whoever has marked it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from ringful.http.authenticate import Answer, Asking
from ringful.http.outward.lanes import host_of
from ringful.http.problems import Problem
from ringful.http.reading.callbacks import (
    STATES,
    UNDELIVERED,
    CallbackResend,
    QueryCallbacks,
)
from ringful.interpreter.tell import stamp, stamp_if
from ringful.store.port import Key, Post, PostState, Standing, Store, Write

AT_ONCE = 10_000
"""Callbacks that one request sends again at most."""
SHOWN = 100
"""Callbacks that are shown with their call."""
_WORDS = {known: word for word, states in STATES.items() for known in states}


def word(state: Standing) -> str:
    """Give the word of the API: waiting, parked or delivered."""
    return _WORDS[state]


def action_of(post: Post) -> str:
    """Give what *post* tells."""
    return post.fields.get("action", "")


def brief(one: PostState) -> dict[str, Any]:
    """Show a callback with its call."""
    return {
        "event": one.post.event_id,
        "action": action_of(one.post),
        "host": host_of(one.post.url),
        "state": word(one.state),
        "attempts": one.attempts,
        "lastError": one.last_error,
    }


def as_json(one: PostState) -> dict[str, Any]:
    """Show all that is known of a callback but its fields."""
    return {
        "event": one.post.event_id,
        "callId": one.post.call_id,
        "n": one.post.n,
        "action": action_of(one.post),
        "url": one.post.url,
        "state": word(one.state),
        "attempts": one.attempts,
        "lastError": one.last_error or None,
        "created": stamp(one.post.created),
        "resent": stamp_if(one.resent),
        "next": stamp(one.next_at) if one.state == "pending" else None,
    }


def as_text(one: PostState) -> str:
    """Show a callback on a line; of its URL, the host."""
    post = one.post
    parts = [post.event_id, word(one.state), post.call_id, str(post.n), action_of(post), host_of(post.url)]
    return "  ".join([*parts, f"{one.attempts} attempts", *([one.last_error] if one.last_error else [])])


@frozen
class CallbackDesk:
    """Answers about callbacks; *look* lets the deliverer look for what is to be sent again."""

    store: Store
    look: Callable[[], None] = lambda: None

    async def of_call(self, call_id: str) -> dict[str, Any]:
        """Give what `QueryCall` tells of a call's callbacks: how many stand how, and the undelivered."""
        counted = await self.store.count_posts(call_id)
        undelivered = await self.store.find_posts(UNDELIVERED, call_id=call_id, limit=SHOWN)
        return {
            "callbacks": {
                name: sum(counted.get(one, 0) for one in states) for name, states in STATES.items()
            },
            "undelivered": [brief(one) for one in undelivered],
        }

    async def answer(self, key: Key, asked: QueryCallbacks) -> Answer:
        """List the callbacks that were asked for.  Raises Problem, StoreError."""
        await self._know(key, asked.call_id)
        found, more = await self._list(key, asked)
        text = "".join(as_text(one) + "\n" for one in found)
        return text, {"callbacks": [as_json(one) for one in found], "more": more}

    async def resend(self, key: Key, asked: CallbackResend, asking: Asking) -> Answer:
        """Mark the parked ones that are meant.  Raises Problem, StoreError."""
        await self._know(key, asked.call_id)
        parked = await self._parked(key, asked)
        answer: Answer = f"{len(parked)}\n", {"resent": len(parked), "more": len(parked) == AT_ONCE}
        again = [one.post for one in parked]
        await self.store.submit(Write(seqs=asking.used(answer), resend=again)).wait()
        self.look()
        return answer

    async def _know(self, key: Key, call_id: str | None) -> None:
        if call_id is None:
            return
        call = await self.store.call(call_id)
        if call is None or call.key != key.key:
            raise Problem(404, "call.unknown", f"there is no call {call_id}")

    async def _list(self, key: Key, asked: QueryCallbacks) -> tuple[Sequence[PostState], bool]:
        if asked.after is not None:
            await self._own(key, asked.after)
        found = await self.store.find_posts(
            asked.states, key=key.key, call_id=asked.call_id, after=asked.after, limit=asked.limit + 1
        )
        return found[: asked.limit], len(found) > asked.limit

    async def _parked(self, key: Key, asked: CallbackResend) -> Sequence[PostState]:
        if asked.event is None:
            return await self.store.find_posts(
                ["parked"], key=key.key, call_id=asked.call_id, url=asked.url, limit=AT_ONCE
            )
        one = await self._own(key, asked.event)
        if asked.call_id not in (None, one.post.call_id) or asked.url not in (None, one.post.url):
            raise Problem(404, "callback.unknown", f"there is no callback {asked.event} of that call and URL")
        if one.state != "parked":
            said = f"the callback {asked.event} is {word(one.state)}; only parked ones are sent again"
            raise Problem(409, "callback.notparked", said)
        return [one]

    async def _own(self, key: Key, event: str) -> PostState:
        one = await self.store.post(event)
        if one is None or one.post.key != key.key:
            raise Problem(404, "callback.unknown", f"there is no callback {event}")
        return one
