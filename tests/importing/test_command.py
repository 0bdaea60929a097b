"""`ringful import` as a command: where documents come from, where scripts go, how it ends."""

import io
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.typed import ringful

MENU = b"""<Response>
    <Gather numDigits="1" action="chosen"><Say>Press a key.</Say></Gather>
    <Redirect/>
</Response>"""


class _Documents(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.path == "/ivr/menu.xml?x=1"
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(MENU)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Documents) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_document_of_the_web_knows_its_own_address(web: str, capsys: Any) -> None:
    out, told, code = ringful(capsys, "import", "twiml", f"{web}/ivr/menu.xml?x=1")
    assert (out, code) == ("menu.call, menu.golden\n", 0)
    text = Path("menu.call").read_text()
    assert f'follow "{web}/ivr/chosen" with' in text
    # It hands over to itself: that is a loop.
    assert "repeat 1000 times {" in text
    assert "to do what the application answers" in told
    assert ringful(capsys, "test") == ("1 passed\n", "", 0)


def test_what_the_web_does_not_have(web: str, capsys: Any) -> None:
    _, told, code = ringful(capsys, "import", "twiml", f"{web}/none.xml")
    assert (told, code) == (f"ringful: {web}/none.xml: it answered 404\n", 2)
    _, told, code = ringful(capsys, "import", "twiml", "http://127.0.0.1:1/x")
    assert code == 2
    assert "refused" in told


def test_what_is_there_is_kept(capsys: Any) -> None:
    Path("a.xml").write_bytes(MENU)
    Path("a.golden").write_text("mine")
    _, told, code = ringful(capsys, "import", "twiml", "a.xml")
    assert (told, code) == (
        "ringful: a.golden is there already: name another with `--to`, or say `--force`\n",
        2,
    )
    assert not Path("a.call").exists()
    out, _, code = ringful(capsys, "import", "twiml", "a.xml", "--to", "new/b.call")
    assert code == 2
    out, _, code = ringful(capsys, "import", "twiml", "a.xml", "--force", "--base", "https://h.example/in")
    assert out == "a.call, a.golden\n"
    assert 'follow "https://h.example/chosen"' in Path("a.call").read_text()


def test_the_script_alone_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    given = io.TextIOWrapper(io.BytesIO(b"<Response><Say>Hello</Say></Response>"))
    monkeypatch.setattr(sys, "stdin", given)
    out, told, code = ringful(capsys, "import", "twiml", "-", "--to", "-", "--outbound")
    assert out == '# From TwiML, by `ringful import`.\nparam number\ncall number\n\nsay "Hello"\n'
    assert (told, code) == ("", 0)
    assert not list(Path().iterdir())


def test_a_call_that_is_placed_has_a_case_too(capsys: Any) -> None:
    Path("hello.json").write_text('[{"verb": "say", "text": "Hello"}]')
    assert ringful(capsys, "import", "jambonz", "hello.json", "--outbound", "--to", "out")[2] == 0
    assert "answer after 3s" in Path("out.golden").read_text()
    assert ringful(capsys, "test") == ("1 passed\n", "", 0)


def test_what_is_lost_makes_it_1_and_what_cannot_be_read_2(capsys: Any) -> None:
    Path("a.xml").write_text("<Response><Say>x</Say><Pay/></Response>")
    _, told, code = ringful(capsys, "import", "twiml", "a.xml")
    assert code == 1
    assert told.startswith("lost <Pay>: nothing takes payments here")
    _, told, code = ringful(capsys, "import", "swml", "a.xml", "--force")
    assert (told, code) == ("ringful: a.xml: line 1, column 1: this is no JSON: Expecting value\n", 2)
    Path("b.xml").write_bytes(b"x" * (1024 * 1024 + 1))
    _, told, code = ringful(capsys, "import", "twiml", "b.xml")
    assert code == 2
    assert "more than 1048576 bytes" in told
    _, told, code = ringful(capsys, "import", "twiml", "none.xml")
    assert (told, code) == ("ringful: none.xml: No such file or directory\n", 2)
    assert ringful(capsys, "import", "vxml", "a.xml")[2] == 2
