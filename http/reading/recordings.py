"""The request about recordings, which is ours: removing them."""

import re
from urllib.parse import unquote, urlsplit

from attrs import frozen

from ringful.http.reading import parameters as p
from ringful.http.reading.parameters import BadParameter, Parameters

FILE = re.compile(r"[A-Za-z0-9._-]{1,200}\.wav", re.ASCII)
"""A recording's bare name."""


@frozen
class RemoveRecording:
    """Remove a recording by its *file* (a bare name), or all of a call's."""

    file: str | None = None
    call_id: str | None = None


def remove(given: Parameters) -> RemoveRecording:
    """Read `RecordingRemove`."""
    named = given.optional("recordFile file", file_name)
    call_id = given.optional("callId", p.identifier)
    if named is None and call_id is None:
        example = "recordFile=https://…/recordings/r1-….wav, or callId=r1-… for all of a call's"
        raise BadParameter("recordFile", "missing", f"recordFile is missing; give e.g. {example}")
    return RemoveRecording(named, call_id)


def file_name(name: str, value: str) -> str:
    """Read a recording's URL, or its bare name."""
    try:
        bare = unquote(urlsplit(value).path.rpartition("/")[2])
    except ValueError:
        bare = ""
    if not FILE.fullmatch(bare):
        expected = "a recording's URL, or its bare name such as r1-….wav"
        raise BadParameter(name, "invalid", f"{name} must be {expected}, not {value!r}")
    return bare
