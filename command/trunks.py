"""`ringful trunks`: how the trunks of this server stand, and what is wrong with one."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import trio
from cyclopts import App

from ringful.command.asking.signing import base_of
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.command.serving.trunks import surroundings
from ringful.media.trunking.places import Places
from ringful.media.trunking.trial import Said, trial

app = App(name="trunks", help="Trunks: how they stand, and what is wrong with one.")

_HEADS = ("name", "address", "registered", "alive", "legs", "failures", "last failure")


@app.command(name="list")
def list_trunks(*, url: str | None = None, config: Path | None = None) -> None:
    """Show how each trunk of the running server stands.

    Parameters
    ----------
    url
        The server's address, where it is not the configuration's.
    config
        The configuration; ringful.toml, where none is named.
    """
    settings = configuration(config)
    base = base_of(settings, url or f"http://{settings.http.bind}")
    rows = [_HEADS, *(_row(one) for one in _ask(f"{base}/trunks"))]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEADS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _ask(url: str) -> list[dict[str, Any]]:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=10) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())
            return found
    except HTTPError as error:
        with error:
            why = "it tells this machine and the networks of http.metrics_allow only"
            raise CommandError(f"{url} answered {error.code}: {why}") from error
    except (URLError, OSError) as error:
        raise CommandError(f"no server answers at {url}: {getattr(error, 'reason', error)}", 2) from error


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    registered = {None: "-", True: f"{one['expires']} s", False: "no"}[one["registered"]]
    alive = {None: "not asked", True: "yes", False: "no"}[one["alive"]]
    if one["alive"] and one["rtt"] is not None:
        alive = f"{one['rtt'] * 1000:.0f} ms"
    address = one["address"] if one["transport"] == "udp" else f"{one['address']} ({one['transport']})"
    return (one["name"], address, registered, alive, str(one["legs"]), str(one["failures"]), one["last"])


@app.command(name="test")
def try_trunk(name: str, *, config: Path | None = None) -> None:
    """Try a trunk, without a call: is its name known, does it answer, is our password right? Exit 1 if not.

    Who is registered there is not changed by it.

    Parameters
    ----------
    name
        The trunk, such as north of [sip.trunks.north]; trunk, where there is only sip.trunk.
    config
        The configuration; ringful.toml, where none is named.
    """
    settings = configuration(config)
    found = next((one for one in settings.sip.ways if one.name == name), None)
    if found is None:
        there = ", ".join(one.name for one in settings.sip.ways)
        raise CommandError(f"there is no trunk {name}; there are: {there}", 2)

    async def tried() -> list[Said]:
        return [one async for one in trial(found, Places(), surroundings(settings))]

    said = trio.run(tried)
    print("\n".join(_lines(said)))
    sys.exit(0 if all(one.well for one in said) else 1)


def _lines(said: list[Said]) -> Iterator[str]:
    for one in said:
        yield f"{one.what}: {one.found}"
