"""`ringful import`: flows of other systems as scripts."""

import sys
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Literal
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from cyclopts import Parameter

from ringful.command.errors import CommandError
from ringful.grammar.errors import ScriptError, render
from ringful.ground.files import write_whole
from ringful.importing.case import case_of
from ringful.importing.jambonz import import_jambonz
from ringful.importing.losses import ImportFault, told
from ringful.importing.markup import MAX_BYTES
from ringful.importing.script import Imported
from ringful.importing.swml import import_swml
from ringful.importing.twiml import import_twiml
from ringful.interpreter.sources import read_source
from ringful.simulation.cases.case import ENDING
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.simulate import run_case

Kind = Literal["twiml", "jambonz", "swml"]
KINDS: dict[Kind, Callable[..., Imported]] = {
    "twiml": import_twiml,
    "jambonz": import_jambonz,
    "swml": import_swml,
}
PATIENCE = 15.0
"""Seconds that a web server has for a document."""


def import_(
    kind: Kind,
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    to: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    base: str = "",
    outbound: bool = False,
    force: bool = False,
) -> None:
    """Make a script, and its golden case, of a flow of another system; exit 1 if it does not say all.

    What could not be said stands in the script as comments (LOST, TO DO), and is listed at the end.
    Exit codes: 0 the script says all; 1 it is written, and something is LOST; 2 nothing is written.

    Parameters
    ----------
    kind
        What the document is: twiml (XML), jambonz (JSON), swml (SignalWire, JSON).
    source
        The document: a file, the address of one on the web, or `-` for standard input.
    to
        The script's file; the case is put beside it.  `-` shows the script, and makes no case.  Without
        it they are called as the document is, in this folder.
    base
        The address that the document has on the web: what it names without a host is read against it.
    outbound
        The script calls somebody; without it, it takes a call.
    force
        Write over files that are there.
    """
    document, address = _read(source)
    try:
        flow = KINDS[kind](document, base or address, outbound=outbound)
        text = flow.text
    except ImportFault as error:
        raise CommandError(f"{source}: {error}", 2) from None
    except ScriptError as error:
        raise CommandError(f"{source}: the flow is too deep for a script: {error}", 2) from None
    if to == "-":
        print(text, end="")
    else:
        _write(flow, text, _script_for(source, to), force=force)
    for line in told(flow.losses):
        print(line, file=sys.stderr)
    if any(loss.weight == "lost" for loss in flow.losses):
        sys.exit(1)


def _script_for(source: str, to: str | None) -> Path:
    """Say which file the script of *source* is to be."""
    if to is not None:
        path = Path(to)
        return path if path.suffix == ".call" else path.with_name(f"{path.name}.call")
    stem = Path(source.partition("?")[0].partition("#")[0].rstrip("/")).stem
    name = "".join(c if c.isalnum() and c.isascii() else "_" for c in stem.lower()).strip("_")
    return Path(f"{name or 'imported'}.call")


def _write(flow: Imported, text: str, script: Path, *, force: bool) -> None:
    """Write the script and its case, and say what was written."""
    case = script.with_name(script.stem + ENDING)
    there = [str(path) for path in (script, case) if path.exists()]
    if there and not force:
        raise CommandError(f"{there[0]} is there already: name another with `--to`, or say `--force`", 2)
    write_whole(script, text)
    wrong = [problem for problem in read_source(script).problems if problem.is_error]
    if wrong:
        print(*(render(problem, text) for problem in wrong), sep="\n")
        raise CommandError(
            f"{script}: it is written, and has these problems still, so there is no case of it"
        )
    title = script.stem.replace("_", " ").capitalize()
    above = case_of(flow, script.name, title, _trace(case_of(flow, script.name, title), case))
    write_whole(case, above + _trace(above, case))
    print(f"{script}, {case}")


def _trace(above: str, case: Path) -> str:
    """Give what comes out of a case, whose script is written."""
    named = case.with_name(case.name.removesuffix(ENDING) + ".call")
    return run_case(parse_case(above, case, read_source(named))).trace


def _read(source: str) -> tuple[bytes, str]:
    """Give the document, and its address on the web, if it has one."""
    if source.lower().startswith(("http://", "https://")):
        return _fetched(source), source
    try:
        if source == "-":
            document = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                document = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{source}: {error.strerror}", 2) from error
    return _bounded(source, document), ""


def _fetched(address: str) -> bytes:
    try:
        with urlopen(Request(address), timeout=PATIENCE) as answer:
            document: bytes = answer.read(MAX_BYTES + 1)
    except HTTPError as error:
        raise CommandError(f"{address}: it answered {error.code}", 2) from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        said = getattr(error, "reason", error)
        raise CommandError(f"{address}: {said or type(error).__name__}", 2) from error
    return _bounded(address, document)


def _bounded(source: str, document: bytes) -> bytes:
    if len(document) > MAX_BYTES:
        raise CommandError(f"{source}: it has more than {MAX_BYTES} bytes: no flow is that long", 2)
    return document
