"""What commands ask of the store of a server, whether that runs or not."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from ringful.command.config import Config
from ringful.store.open import open_store
from ringful.store.port import Store

_T = TypeVar("_T")


def with_store(settings: Config, do: Callable[[Store], Awaitable[_T]]) -> _T:
    """Give what *do* makes of the store, which is there already.  Raises StoreError."""

    async def opened() -> _T:
        async with open_store(settings.store.url, make=False) as store:
            return await do(store)

    return trio.run(opened)
