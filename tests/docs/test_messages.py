"""The script and the case of docs/messages.md are what they say."""

import re
from pathlib import Path

from ringful.command.configuration.config import Sms, load
from ringful.grammar.checking.checker import check
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.simulate import run_case
from tests.docs.examples import hold_examples
from tests.server import free_port, server

CONFIGURATION = {
    "RINGFUL_SMS__SOURCE": "+15125550000",
    "RINGFUL_SMS__TRANSPORT": "smpp",
    "RINGFUL_SMS__SMPP": '{address = "127.0.0.1:9", system_id = "ringful"}',
}
"""Nobody listens there: what is sent waits."""
TEXT = (Path(__file__).parents[2] / "docs" / "messages.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("## In scripts and golden cases") :]
(SCRIPT,) = re.findall(r"^```\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)[:1]
(CASE,) = re.findall(r"^```case\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)


def test_the_script() -> None:
    script = parse(SCRIPT)
    assert show(script) == SCRIPT
    assert check(script) == ()


def test_the_case() -> None:
    case = parse_case(CASE, Path("docs/messages.md"))
    assert run_case(case).trace == case.below
    assert show(case.source.script) == SCRIPT


def test_the_requests_are_answered_as_they_say(tmp_path: Path) -> None:
    with server(tmp_path, f"127.0.0.1:{free_port()}", **CONFIGURATION) as running:
        assert hold_examples(running, TEXT) > 5


def test_the_tables_of_the_configuration_are_read(tmp_path: Path) -> None:
    tables = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert len(tables) >= 3
    for table in tables:
        page = tmp_path / "ringful.toml"
        page.write_text(re.sub(r"^ca = .*$", "", table, flags=re.MULTILINE), encoding="utf-8")
        assert load(page, {}).sms != Sms()
