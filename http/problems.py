"""What a refused request is told: problem details (RFC 9457), or one readable line.

Codes are stable: clients match on them and not on messages.
"""

import json
from collections.abc import Mapping

from attrs import field, frozen

from ringful.interpreter.calls import conferences, numbers, switchboard
from ringful.interpreter.messages import board

_TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    410: "Gone",
    413: "Too large",
    415: "Unsupported media type",
    416: "Outside the file",
    422: "Script with errors",
    429: "Too many requests",
    431: "Too large",
    500: "Server fault",
    503: "Not available",
    505: "Not spoken here",
}

_NOT_SENT = {
    "optedout": 403,
    "notallowed": 403,
    "spent": 403,
    "invalid": 400,
    "capacity": 429,
    "unavailable": 503,
}


@frozen
class Problem(Exception):
    """Why a request is refused; *extra* holds further members of the JSON form, *text* further lines."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(factory=dict)
    extra: Mapping[str, object] = field(factory=dict)
    text: str = ""

    def as_json(self) -> str:
        """Give the problem as ``application/problem+json``."""
        members = {
            "type": f"urn:ringful:problem:{self.code}",
            "title": _TITLES.get(self.status, "Problem"),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        return json.dumps(members | dict(self.extra)) + "\n"

    def as_text(self) -> str:
        """Give the problem as one line of text, and behind it what more there is to say."""
        return f"{self.code}: {' '.join(self.detail.split())}\n{self.text}"


def of_refusal(refusal: switchboard.Refusal) -> Problem:
    """Give the problem that a refusal of the switchboard is."""
    detail = str(refusal)
    match refusal:
        case switchboard.NoSuchCall():
            return Problem(404, "call.unknown", detail)
        case board.NotSent(reason=reason):
            return Problem(_NOT_SENT[reason], f"message.{reason}", detail)
        case board.NoSuchKeyword():
            return Problem(404, "keyword.unknown", detail)
        case board.KeywordTaken():
            return Problem(409, "keyword.taken", detail)
        case numbers.NoSuchNumber():
            return Problem(404, "number.unknown", detail)
        case numbers.NumberTaken():
            return Problem(409, "number.taken", detail)
        case conferences.NoSuchConference():
            return Problem(404, "conference.unknown", detail)
        case conferences.ConferenceOver():
            return Problem(409, "conference.over", detail)
        case conferences.NotMember():
            return Problem(409, "conference.notin", detail)
        case conferences.Engaged():
            return Problem(409, "conference.engaged", detail)
        case conferences.IsModerator():
            return Problem(409, "conference.moderator", detail)
        case switchboard.Pruned():
            return Problem(410, "call.pruned", detail)
        case switchboard.CallOver():
            return Problem(409, "call.over", detail)
        case switchboard.CannotStart(span=span):
            if not span.line:
                return Problem(422, "script.cannotstart", detail)
            place = {"file": span.path, "line": span.line, "column": span.column}
            return Problem(422, "script.cannotstart", f"{span}: {detail}", extra=place)
        case switchboard.NotAllowed():
            return Problem(403, "call.notallowed", detail)
        case switchboard.TooMany(retry_after=wait):
            return Problem(429, "key.limit", detail, {"Retry-After": str(max(1, round(wait + 0.5)))})
        case switchboard.Busy():
            return Problem(429, "server.busy", detail, {"Retry-After": "1"})
        case switchboard.Unavailable():
            return Problem(503, "server.unavailable", detail, {"Retry-After": "5"})
        case _:
            return Problem(500, "server.fault", detail)
