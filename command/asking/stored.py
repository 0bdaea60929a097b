"""What commands ask of the store of a server, whether that runs or not."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ringful.command.configuration.config import Config
from ringful.store.port import Reads, Store
from ringful.store.reading import read_store

_T = TypeVar("_T")


def read_stored(settings: Config, do: Callable[[Reads], Coroutine[Any, Any, _T]]) -> _T:
    """Give what *do* reads of the store, which is there already.  Raises StoreError."""
    with read_store(settings.store.url) as reads:
        if reads is not None:
            return _made_in_place(do(reads))
    return with_store(settings, do)


def with_store(settings: Config, do: Callable[[Store], Coroutine[Any, Any, _T]], *, make: bool = False) -> _T:
    """Give what *do* makes of the store, which is there already unless it is to *make* it.

    Raises StoreError.
    """
    # Whoever only reads waits for neither.
    import trio

    from ringful.store.open import open_store

    async def opened() -> _T:
        async with open_store(settings.store.url, make=make) as store:
            return await do(store)

    return trio.run(opened)


def _made_in_place(reading: Coroutine[Any, Any, _T]) -> _T:
    """Give what *reading* gives, whose every await is of what is there at once."""
    try:
        reading.send(None)
    except StopIteration as done:
        given: _T = done.value
        return given
    reading.close()
    raise RuntimeError("it awaits something that is not a read of the store")
