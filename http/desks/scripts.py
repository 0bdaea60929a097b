"""The methods about scripts: each gives its answer as text and as the members of a JSON object."""

import json
import time
from collections.abc import Callable
from typing import Any

import trio
from attrs import evolve, field, frozen

from ringful.grammar import nodes
from ringful.http.authenticate import Answer, Asking
from ringful.http.desks.library import ENDING, Checked, Library, digest_of
from ringful.http.desks.simulate import Order, Simulator, inline_of, simulated
from ringful.http.desks.world import case_of
from ringful.http.present import line_as_json, line_as_text
from ringful.http.reading import requests
from ringful.http.reading.compile import compile_call_of
from ringful.http.reading.given import fit
from ringful.http.reading.parameters import BadParameter
from ringful.http.reading.scripts import (
    Check,
    GetScript,
    GetVersions,
    Inline,
    Named,
    Reference,
    Run,
    ScriptRequest,
    Simulate,
    Trace,
    Upload,
)
from ringful.interpreter.calls.switchboard import Calls
from ringful.interpreter.events import Started
from ringful.interpreter.tell import stamp
from ringful.store import port
from ringful.store.port import Key, ScriptVersion, Store, Write

MAX_KEPT = 16 * 1024
"""Characters of the warnings that are kept with an answer."""


@frozen
class ScriptDesk:
    """What the façade asks about scripts."""

    calls: Calls
    store: Store
    library: Library
    simulator: Simulator
    clock: Callable[[], float] = time.time
    _uploading: trio.Lock = field(factory=trio.Lock)

    async def answer(self, key: Key, asked: ScriptRequest, asking: Asking) -> Answer:
        """Answer a request; the caller sees to its seq where nothing is written or started."""
        match asked:
            case Upload():
                return await self._upload(key, asked, asking)
            case GetScript(Named(name, version)):
                found = await self.library.find(key, name, version)
                return found.text, _about(found.about) | {"script": found.text}
            case GetVersions(name):
                return await self._versions(key, name)
            case Check(script):
                return _problems(await self._read(key, script))
            case Run():
                return await self._run(key, asked, asking)
            case Simulate():
                return await self._simulate(key, asked)

    async def place(self, key: Key, asked: requests.Call, asking: Asking) -> Answer:
        """Start a call that runs a stored script."""
        assert asked.script
        checked = await self.library.load(key, asked.script.name, asked.script.version)
        checked.diagnosis.hold()
        own = checked.source.script
        called = compile_call_of(asked, own)
        checked = await self.library.check(key, checked, called)
        checked.diagnosis.hold()
        callee = _callee(own)
        values = fit(asked.given, own, but=callee)
        if callee:
            values.setdefault(callee, asked.callee)
        started = Started(
            called,
            values,
            uses=checked.source.used_scripts,
            origin=checked.origin,
            label=asked.label or "",
        )
        await self.library.hold_cost(key, started)
        return await placed(self.calls, key, started, asking)

    async def _read(self, key: Key, script: Reference) -> Checked:
        match script:
            case Named(name, version):
                return await self.library.load(key, name, version)
            case Inline(text, file):
                return await self.library.read(key, text, file)

    async def _upload(self, key: Key, asked: Upload, asking: Asking) -> Answer:
        checked = await self.library.read(key, asked.text, asked.name + ENDING)
        checked.diagnosis.hold()
        created, digest = self.clock(), digest_of(asked.text)
        upload = port.Upload(key.key, asked.name, asked.text, digest, created)
        # One at a time, so that the answer is known before it is kept together with the script.
        async with self._uploading:
            newest = await self.store.script(key.key, asked.name)
            if newest and newest.about.digest == digest:
                about = newest.about
            else:
                version = newest.about.version + 1 if newest else 1
                size = len(asked.text.encode())
                about = ScriptVersion(key.key, asked.name, version, digest, created, size)
            members = _about(about) | {"new": about.created == created}
            text, warnings = f"{about.version}\n", checked.diagnosis.members
            kept = warnings if len(json.dumps(warnings)) <= MAX_KEPT else []
            seqs = asking.used((text, members | {"warnings": kept}))
            await self.store.submit(Write(scripts=[upload], seqs=seqs)).wait()
        return text, members | {"warnings": warnings}

    async def _versions(self, key: Key, name: str | None) -> Answer:
        if name is not None:
            await self.library.find(key, name)
        found = await self.store.script_versions(key.key, name=name)
        lines = "".join(f"{one.name}  {one.version}  {stamp(one.created)}  {one.digest}\n" for one in found)
        return lines, {"scripts": [_about(one) for one in found]}

    async def _run(self, key: Key, asked: Run, asking: Asking) -> Answer:
        checked = await self._read(key, asked.script)
        checked.diagnosis.hold()
        script = checked.source.script
        started = Started(
            told(script, asked.callback_url),
            fit(asked.given, script),
            uses=checked.source.used_scripts,
            notify=asked.callback_url,
            origin=checked.origin,
            label=asked.label or "",
        )
        await self.library.hold_cost(key, started)
        kind = "callId" if isinstance(script.header, nodes.Call) else "runId"
        return await placed(self.calls, key, started, asking, kind)

    async def _simulate(self, key: Key, asked: Simulate) -> Answer:
        script = asked.script or inline_of(asked.case)
        if script is None:
            wanted = "give the name of a script, its text, or a case with `script { … }`"
            raise BadParameter("script", "missing", f"script is missing: {wanted}")
        checked = await self._read(key, script)
        checked.diagnosis.hold()
        source = checked.source
        given = fit(asked.given, source.script, whole=False)
        order = Order(asked.case + case_of(asked.world), source, given)
        return simulated(await self.simulator.run(key, order))


async def placed(calls: Calls, key: Key, started: Started, asking: Asking, kind: str = "callId") -> Answer:
    """Start what *started* says, and give the answer, which is kept with it."""
    call_id = calls.new_id()
    answer = f"{call_id}\n", {kind: call_id}
    await calls.place(key, call_id, started, seqs=asking.used(answer))
    return answer


async def trace(calls: Calls, key: Key, asked: Trace) -> Answer:
    """Tell what happened on a call, behind the lines that the client has."""
    found = await calls.trace(key, asked.call_id, after=asked.after, patience=asked.wait)
    text = "".join(f"{line_as_text(line)}\n" for line in found.lines)
    members = {
        "lines": [line_as_json(line) for line in found.lines],
        "next": asked.after + len(found.lines),
        "ended": found.ended,
        "outcome": found.outcome or None,
    }
    return text, members


def told(script: nodes.Script, url: str | None) -> nodes.Script:
    """Tell what happens on the script's call to *url*, unless the script says itself where."""
    header = script.header
    if (
        url is None
        or not isinstance(header, nodes.Call | nodes.Inbound | nodes.InboundSms)
        or header.notify is not None
    ):
        return script
    return evolve(script, header=evolve(header, notify=nodes.text(url)))


def _about(version: ScriptVersion) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": version.version,
        "created": stamp(version.created),
        "sha256": version.digest,
        "size": version.size,
    }


def _problems(checked: Checked) -> Answer:
    diagnosis = checked.diagnosis
    return diagnosis.text or "no problems\n", {"ok": not diagnosis.refusal, "problems": diagnosis.members}


def _callee(script: nodes.Script) -> str | None:
    """Give the param that says whom the script's own `call` rings, as in ``call buyer``."""
    number = script.header.number if isinstance(script.header, nodes.Call) else None
    named = number.id if isinstance(number, nodes.Name) else None
    return named if named in {param.name for param in script.params} else None
