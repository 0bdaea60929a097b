"""Each request compiles to one statement: the request above, the script below."""

from urllib.parse import parse_qsl

import pytest

from ringful.grammar.showing.printer import show, show_statement
from ringful.http.reading import conferences, methods, requests
from ringful.http.reading.compile import (
    compile_call,
    compile_join,
    compile_leave,
    compile_moderators_call,
    compile_opening,
    compile_task,
)
from ringful.http.reading.immediate import immediate
from ringful.http.reading.parameters import Parameters
from tests.conftest import GoldenCase


@pytest.mark.golden("compile/*.golden")
def test_a_request_compiles(case: GoldenCase) -> None:
    method, _, query = case["request"].strip().lstrip("/").partition("?")
    name = methods.find_method(method)
    assert name
    made = requests.read(name, Parameters(parse_qsl(query)), requests.Dialect())
    match made:
        case requests.Call():
            shown = show(compile_call(made))
        case requests.QueryCall() | requests.Script():
            raise AssertionError("a query compiles to nothing")
        case conferences.StartConf():
            opened = compile_opening(made, "room")
            moderators = show(compile_moderators_call(made, "room"))
            shown = "\n".join(map(show_statement, opened)) + f"\n\nwhere nobody has called:\n{moderators}"
        case conferences.JoinConf():
            shown = show_statement(compile_join(made))
        case conferences.LeaveConf():
            shown = "now leave\n" if made.immediate else show_statement(compile_leave(made))
        case requests.OnConference(task):
            shown = f"on {task.call_id}: {_shown(task)}"
        case _:
            shown = _shown(made)
    case.expect("script", shown)


def _shown(task: requests.Task) -> str:
    now = immediate(task)
    if now is None:
        return show_statement(compile_task(task))
    return f"now {now if isinstance(now, str) else show_statement(now)}\n"
