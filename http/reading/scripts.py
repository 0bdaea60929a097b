"""The requests about scripts, which are ours: storing, checking, running, simulating them.

A script is meant by its name, or stands in the request itself.  What a method does not know as a
parameter of its own is a value for the script; one that has the name of such a parameter is given as
``param.NAME``.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import field, frozen

from ringful.http.reading import parameters as p
from ringful.http.reading.bodies import value_of
from ringful.http.reading.parameters import BadParameter, Parameters
from ringful.interpreter.values import Value

PREFIX = "param."
MAX_WAIT = 30.0


@frozen
class Given:
    """Values for a script: *texts* of a query or a form, and *values* of a JSON body."""

    texts: Mapping[str, str] = field(factory=dict)
    values: Mapping[str, Value] = field(factory=dict)


@frozen
class Named:
    """A stored script; the newest version, where none is named."""

    name: str
    version: int | None = None


@frozen
class Inline:
    """A script that came with the request; *file* is what its problems and its trace call it."""

    text: str
    file: str = "script"


Reference: TypeAlias = Named | Inline


@frozen
class Upload:
    """Check a script and store it."""

    name: str
    text: str


@frozen
class GetScript:
    """Give a stored script."""

    script: Named


@frozen
class GetVersions:
    """List the versions of a stored script; of all scripts the newest ones, where no *name* is given."""

    name: str | None = None


@frozen
class Check:
    """Tell what is wrong with a script."""

    script: Reference


@frozen
class Run:
    """Start a script; the answer is the ID of its call, or of its run."""

    script: Reference
    given: Given = field(factory=Given)
    callback_url: str | None = None
    label: str | None = None


@frozen
class Simulate:
    """Run a script in virtual time, against what *case* describes.

    The case may hold the script itself; *world* is the same as JSON.
    """

    script: Reference | None
    given: Given
    case: str = ""
    world: Mapping[str, Any] = field(factory=dict)


@frozen
class Trace:
    """Tell what happened on a call, line by line, behind the first *after* lines.

    Where nothing more has happened yet, wait for so many seconds.
    """

    call_id: str
    after: int = 0
    wait: float = 0.0


ScriptRequest: TypeAlias = Upload | GetScript | GetVersions | Check | Run | Simulate


def script(given: Parameters) -> Upload | GetScript | GetVersions:
    """Read `Script`, but for its form with a ``callId``."""
    text = given.text("script")
    if text is not None:
        return Upload(given.required("name", p.script_name, "approve"), text)
    name = given.optional("name", p.script_name)
    version = given.optional("version", p.version)
    if given.optional("versions", p.boolean) or name is None:
        if version is not None:
            raise BadParameter(
                "version", "invalid", "version goes with the name of a script, to get its text"
            )
        return GetVersions(name)
    return GetScript(Named(name, version))


def check(given: Parameters) -> Check:
    """Read `Check`."""
    return Check(_reference(given))


def run(given: Parameters, callback: Callable[[Parameters], str | None]) -> Run:
    """Read `Run`; *callback* takes its URL."""
    script = _reference(given)
    url, label = callback(given), given.optional("label", p.label)
    return Run(script, values(given), url, label)


_WORLD = ("phones", "sounds", "missing", "recording", "web", "sms", "queue", "now")
"""The members of a JSON body that describe the far ends, the web and what is said to messages."""


def simulate(given: Parameters) -> Simulate:
    """Read `Simulate`: the body's text is a case, not a script."""
    case = given.text("case") or ""
    text = given.member("script")
    world = {name: found for name in _WORLD if (found := given.member(name)) is not None}
    named = _named(given)
    if text is not None and named:
        raise BadParameter("name", "invalid", "give the name of a script or its text, not both")
    if case and world:
        raise BadParameter("case", "invalid", f"give a case or its parts ({', '.join(world)}), not both")
    if text is not None and not isinstance(text, str):
        raise BadParameter("script", "invalid", "script must be the text of a script")
    inline = None if text is None else Inline(text)
    return Simulate(named or inline, values(given), case, world)


def trace(given: Parameters) -> Trace:
    """Read `Trace`."""
    call_id = given.required("callId", p.identifier, "r1-…")
    after = given.optional("after", p.whole)
    wait = given.optional("wait", p.seconds_to(MAX_WAIT))
    return Trace(call_id, after or 0, wait or 0.0)


def _reference(given: Parameters) -> Reference:
    text = given.text("script")
    file = given.optional("file", p.file_name)
    named = _named(given)
    if text is not None and named:
        raise BadParameter("name", "invalid", "give the name of a script or its text, not both")
    if text is not None:
        return Inline(text, file or "script")
    if named is None:
        raise BadParameter(
            "name", "missing", "name is missing; give e.g. name=approve, or the text of a script as the body"
        )
    return named


def _named(given: Parameters) -> Named | None:
    name = given.optional("name", p.script_name)
    version = given.optional("version", p.version)
    if version is not None and name is None:
        raise BadParameter("version", "invalid", "version goes with the name of a script")
    return None if name is None else Named(name, version)


def values(given: Parameters) -> Given:
    """Take all that is left as values for the script."""
    found = given.member("params")
    if found is not None and not isinstance(found, dict):
        raise BadParameter("params", "invalid", 'params must be an object, such as {"order": "A-1"}')
    typed = {str(name): value_of(str(name), value) for name, value in (found or {}).items()}
    texts: dict[str, str] = {}
    for name, text in given.rest():
        bare = name.removeprefix(PREFIX)
        if bare in texts or bare in typed:
            raise BadParameter(bare, "repeated", f"{bare} is given twice; give it once")
        texts[bare] = text
    return Given(texts, typed)
