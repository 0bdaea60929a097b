"""Parked callbacks that are to be sent again: they are marked, and a running server takes them up."""

from collections.abc import Sequence

from ringful.store.port import PostState, Store, Write

_PAGE = 1000


async def resend_these(store: Store, parked: Sequence[PostState]) -> int:
    """Mark these; give how many they are.  Raises StoreError."""
    await store.submit(Write(resend=[one.post for one in parked])).wait()
    return len(parked)


async def resend_parked(store: Store, *, url: str | None, call_id: str | None, key: str | None) -> int:
    """Mark all that are parked and fit; give how many they are.  Raises StoreError."""
    many = 0
    # What was found must be marked before the next page is asked for.
    while page := await store.find_posts(["parked"], url=url, call_id=call_id, key=key, limit=_PAGE):
        many += await resend_these(store, page)
    return many
