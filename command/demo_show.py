"""Which lines of a journal an onlooker cares for, and how they are said.  Pure."""

from ringful.store.port import Entry

_QUIET = {"SetTimer", "CancelTimer", "Prepare", "Cue", "Notify", "Started", "TimerFired"}


def line_of(entry: Entry) -> tuple[str, str] | None:
    """Give who did what for a journal line, or None where it is of no interest."""
    data = entry.data
    if entry.name in _QUIET:
        return None
    match entry.kind, entry.name:
        case "event", "Queued":
            return "queued", str(data["statement"]).strip()
        case "event", "TonePressed":
            return "tone", str(data["tone"])
        case "event", name:
            return "event", _said(name, data)
        case "effect", name:
            return "effect", _said(name, data)
        case _:
            return None


def _said(name: str, data: object) -> str:
    assert isinstance(data, dict)
    said = []
    for key, value in data.items():
        if key in ("leg", "at_line") or value in (None, "", False):
            continue
        if isinstance(value, dict):
            value = value.get("url") or value.get("text") or value
        said.append(f"{key}={value}")
    return "  ".join([name, *said])
