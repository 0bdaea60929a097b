"""What is where: the API, the recordings, the probes; and what a request is told that is refused.

A request is answered here whatever comes of it: nothing is raised but the end of the task.
"""

from typing import Any

import structlog
from attrs import define, field

from ringful.ground.faults import fault
from ringful.http.authenticate import Authenticator
from ringful.http.desks.callbacks import CallbackDesk
from ringful.http.desks.conferences import ConferenceDesk
from ringful.http.desks.messages import KeywordDesk, Sender
from ringful.http.desks.numbers import NumberDesk
from ringful.http.desks.recordings import RecordingDesk
from ringful.http.desks.records import RecordDesk
from ringful.http.desks.scripts import ScriptDesk
from ringful.http.desks.simulate import Simulator
from ringful.http.exchange import PLAIN, Request, Response
from ringful.http.facade import Facade, Settings
from ringful.http.probes import PROBES, Probes
from ringful.http.problems import Problem, of_refusal
from ringful.http.reading import methods
from ringful.http.reading.bodies import MAX_BODY, MAX_UPLOAD
from ringful.http.reading.parameters import BadParameter
from ringful.interpreter.calls.conferences import Board
from ringful.interpreter.calls.switchboard import Refusal
from ringful.store.port import Store, StoreError

log = structlog.get_logger()

ABOUT = "This is ringful, a programmable-voice server. Its API is described in docs/api.md.\n"

_ASKED, _READ = ("GET", "POST", "HEAD"), ("GET", "HEAD")
_PLACES = PROBES | {"recordings"}
_CAN_BE_LEFT = _PLACES | methods.TAKE_LONG
_COUNTED = (401, 403, 409, 429, 503)
"""The answers that are counted by what was refused."""


def make_app(
    calls: Board,
    store: Store,
    settings: Settings,
    numbers: NumberDesk,
    keywords: KeywordDesk,
    probes: Probes,
) -> "App":
    """Make the application."""
    posts = CallbackDesk(store, settings.look_for_resends)
    facade = Facade(
        calls,
        store,
        settings,
        Authenticator(store),
        ScriptDesk(calls, store, numbers.library, Simulator(settings.simulate)),
        numbers,
        posts,
        ConferenceDesk(calls.conferences, numbers.library),
        Sender(calls, calls.new_id),
        keywords,
        RecordDesk(store, posts),
    )
    return App(facade, settings.recordings, probes)


@define(eq=False)
class App:
    """Answers requests: what `make_app` makes, and `ringful.http.serve` serves."""

    facade: Facade
    recordings: RecordingDesk
    probes: Probes
    _counters: dict[tuple[str, str], Any] = field(factory=dict)
    """Of each method and status that there was."""

    def room_for(self, path: str) -> int:
        """Give how many bytes a body may have that is sent to *path*."""
        text = methods.find_method(path.strip("/").partition("/")[0]) in methods.TAKES_TEXT
        return MAX_UPLOAD if text else MAX_BODY

    def can_be_left(self, request: Request) -> bool:
        """Say whether an answer to *request* changes nothing, and may take long."""
        return _name_of(request) in _CAN_BE_LEFT

    async def answer(self, request: Request) -> Response:
        """Answer *request*, whatever comes of it."""
        try:
            response, refused = await self._find(request), "other"
        except Exception as error:
            problem = _problem_of(error, request)
            response, refused = shown(problem, as_json=request.wants_json), problem.code
        self._count(_name_of(request), response.status, refused)
        return response

    def refuse(self, problem: Problem) -> Response:
        """Answer what cannot be read, and is nobody's request."""
        self._count("other", problem.status, problem.code)
        return shown(problem, as_json=False)

    def gave_way(self) -> None:
        """Count a connection that was ended for another one."""
        self.probes.metrics.http_gave_way.inc()

    async def _find(self, request: Request) -> Response:
        match request.places:
            case [str(method), "apikey", str(key)] if method and key:
                _hold(request, _ASKED)
                return await self.facade.answer(request, method, key)
            case ["recordings", str(file)] if file:
                _hold(request, _READ)
                return await self.recordings.give(file, request)
            case [""]:
                _hold(request, _READ)
                return Response(ABOUT, 200, PLAIN)
            case [str(place)] if place in PROBES and self.probes.tells(place, request):
                _hold(request, _READ)
                return await self.probes.answer(place, request)
        raise Problem(404, "path.unknown", f"there is nothing at {request.plain_path}; see docs/api.md")

    def _count(self, name: str, status: int, refused: str) -> None:
        metrics, seen = self.probes.metrics, (name, str(status))
        if seen not in self._counters:
            self._counters[seen] = metrics.http_requests.labels(*seen)
        self._counters[seen].inc()
        if status in _COUNTED:
            metrics.http_refused.labels(refused).inc()


def shown(problem: Problem, *, as_json: bool) -> Response:
    """Show *problem* in the form that the client reads."""
    if as_json:
        return Response(problem.as_json(), problem.status, "application/problem+json", problem.headers)
    return Response(problem.as_text(), problem.status, PLAIN, problem.headers)


def _problem_of(error: Exception, request: Request) -> Problem:
    """Give the problem that *error* is to whoever sent *request*."""
    match error:
        case Problem():
            return error
        case BadParameter():
            return Problem(400, error.code, str(error), extra={"parameter": error.name})
        case Refusal():
            return of_refusal(error)
        case StoreError():
            log.error("the store failed", why=str(error))
            wrong = "the database does not answer; try again"
            return Problem(503, "server.store", wrong, {"Retry-After": "5"})
    why = fault("answering a request", error, path=request.plain_path)
    return Problem(500, "server.fault", why)


def _hold(request: Request, methods: tuple[str, ...]) -> None:
    """Hold that the request is made in one of the ways that are taken.  Raises Problem."""
    if request.method not in methods:
        wrong = f"{request.method} is not taken here; use {' or '.join(methods[:2])}"
        raise Problem(405, "method.wrong", wrong, {"Allow": ", ".join(methods)})


def _name_of(request: Request) -> str:
    """Give the method of the API that is asked for, or the place: one of a few words, whoever asks."""
    first = request.places[0]
    return first if first in _PLACES else methods.find_method(first) or "other"
