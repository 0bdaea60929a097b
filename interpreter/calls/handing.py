"""Callbacks on their way from what is on the disk to whoever delivers them."""

from collections.abc import Callable, Iterable

from ringful.ground.faults import fault
from ringful.store.port import Post


def hand_over(deliver: Callable[[Post], None], posts: Iterable[Post]) -> None:
    """Give *posts* to *deliver*, in order; one that cannot be given hinders no other."""
    for post in posts:
        try:
            deliver(post)
        except Exception as error:
            # It is on the disk: the next start takes it up.
            fault("handing over a callback", error, call=post.call_id, event_id=post.event_id)
