"""The requests about numbers, which are ours: what takes the calls that come in at each."""

from collections.abc import Callable
from typing import TypeAlias

from attrs import field, frozen

from ringful.http.reading import parameters as p
from ringful.http.reading.parameters import BadParameter, Parameters
from ringful.http.reading.scripts import Given, Named, values


@frozen
class Bind:
    """Let *script* take the calls of *number*; without one, *callback_url* is told of each, and queues."""

    number: str
    script: Named | None = None
    given: Given = field(factory=Given)
    callback_url: str | None = None


@frozen
class GetNumbers:
    """List what is bound; only *number*, where one is named."""

    number: str | None = None


@frozen
class Unbind:
    """Let nobody take the calls of *number* any more."""

    number: str


NumberRequest: TypeAlias = Bind | GetNumbers | Unbind


def number(
    given: Parameters, country: str, callback: Callable[[Parameters], str | None]
) -> Bind | GetNumbers:
    """Read `Number`; *callback* takes its URL."""
    asked = given.optional("number", p.own_number(country))
    script, url = taker(given, callback)
    if script is None and url is None:
        return GetNumbers(asked)
    if asked is None:
        raise no_number()
    return Bind(asked, script, values(given) if script else Given(), url)


def remove(given: Parameters, country: str) -> Unbind:
    """Read `NumberRemove`."""
    return Unbind(given.required("number", p.own_number(country), "18005550000"))


def taker(given: Parameters, callback: Callable[[Parameters], str | None]) -> tuple[Named | None, str | None]:
    """Read what is to take what comes in: a script, or a URL, or both.  Raises BadParameter."""
    name = given.optional("script", p.script_name)
    version = given.optional("version", p.version)
    url = callback(given)
    if version is not None and name is None:
        raise BadParameter("version", "invalid", "version goes with the name of a script")
    return None if name is None else Named(name, version), url


def no_number() -> BadParameter:
    """Say that the number is missing."""
    return BadParameter("number", "missing", "number is missing; give e.g. number=18005550000")
