"""Each request compiles to one statement: the request above, the script below."""

from urllib.parse import parse_qsl

import pytest

from ringful.grammar.showing.printer import show, show_statement
from ringful.http.app import immediate
from ringful.http.reading import methods, requests
from ringful.http.reading.compile import compile_call, compile_task
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
        case _:
            now = immediate(made)
            shown = f"now {now}\n" if now else show_statement(compile_task(made))
    case.expect("script", shown)
