"""What commands ask of the store of a server, whether that runs or not."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from ringful.command.configuration.config import Config
from ringful.store.open import open_store
from ringful.store.port import Store

_T = TypeVar("_T")


def with_store(settings: Config, do: Callable[[Store], Awaitable[_T]], *, make: bool = False) -> _T:
    """Give what *do* makes of the store, which is there already unless it is to *make* it.

    Raises StoreError.
    """

    async def opened() -> _T:
        async with open_store(settings.store.url, make=make) as store:
            return await do(store)

    return trio.run(opened)
