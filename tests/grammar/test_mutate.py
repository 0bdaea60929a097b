"""Mutants of scripts, and what the report says of those that no case notices."""

import re
from pathlib import Path

import pytest

from ringful.command.main import run
from ringful.grammar.checking.checker import check
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.simulation.cases.verdicts import ran, try_cases
from ringful.simulation.mutation.mutants import mutants
from ringful.simulation.mutation.mutation import Mutation

SCRIPT = """\
call "+15125551234" ring 20s
menu tries 2 for 8s {
    prompt { say "Press 1 or 2." }
    "1" { notify "http://h/yes" with { outcome: "yes" } }
    "2" { say "No." }
}
hangup
flow unused(what) { say what }
"""

CASE = """\
script ../menu.call
phone "+15125551234" {
    answer after 2s
    press "1" when "Press 1" ends after 1s
}
---
"""


def shown(text: str) -> list[str]:
    return [show(mutant.script) for mutant in mutants(parse(text), {})]


def test_every_mutant_is_a_script_that_may_run_and_says_something_else() -> None:
    made = shown(SCRIPT)
    assert len(made) == len(set(made)) > 15
    for text in made:
        assert text != show(parse(SCRIPT))
        assert show(parse(text)) == text
        assert not [problem for problem in check(parse(text)) if problem.is_error]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("for 8s", "for 16s"),
        ("for 8s", "for 4s"),
        ("tries 2", "tries 3"),
        ("tries 2", "tries 1"),
        ('"1" {', '"3" {'),
        ('    "2" { say "No." }\n', ""),
        ("http://h/yes", "http://h/yes/else"),
        (' with { outcome: "yes" }', " with {  }"),
        ('outcome: "yes"', 'outcome: "something else"'),
        ('prompt { say "Press 1 or 2." }', 'prompt { say "Something else." }'),
    ],
)
def test_a_mistake_that_is_made(old: str, new: str) -> None:
    assert show(parse(SCRIPT.replace(old, new))) in shown(SCRIPT)


def test_branches_are_swapped_and_conditions_negated() -> None:
    text = 'param a\ncall "1"\nif a == 1 { say "x" } else { say "y" }\nif a in [2] and not a { say "z" }\n'
    made = shown(text)
    for old, new in [
        ("a == 1", "a != 1"),
        ('{ say "x" } else { say "y" }', '{ say "y" } else { say "x" }'),
        (' else { say "y" }', ""),
        ("a in [2] and not a", "a in [2] or not a"),
    ]:
        assert show(parse(text.replace(old, new))) in made, new


def test_what_is_done_to_members_is_changed() -> None:
    text = (
        'call "1"\nconference room speaking\nmute others in room\nkick others from room\n'
        'in room { on leave { say "x" } }\njoin room deaf\n'
    )
    made = shown(text)
    for old, new in [
        (" speaking", ""),
        ("mute others", "unmute others"),
        ("kick others from", "mute others in"),
        ("on leave", "on join"),
        (" deaf", ""),
    ]:
        assert show(parse(text.replace(old, new))) in made, new


def test_messages_go_elsewhere_or_say_something_else() -> None:
    text = (
        'inbound sms "+18005550000" keyword "JOIN" notify "http://h/in"\n'
        'sms caller "Welcome, {caller}." via 3 notify "http://h/sms"\n'
    )
    made = shown(text)
    for old, new in [
        (' keyword "JOIN"', ""),
        ("http://h/in", "http://h/in/else"),
        (' notify "http://h/in"', ""),
        ("sms caller", 'sms "+15550000000"'),
        ("Welcome, {caller}.", "Something else."),
        (" via 3", ""),
        (" via 3", " via 4"),
        (' notify "http://h/sms"', ""),
    ]:
        assert show(parse(text.replace(old, new))) in made, new
    assert show(parse('inbound sms "1" keyword "else"\n')) in shown('inbound sms "1"\n')


def test_a_wait_for_every_key_loses_one() -> None:
    text = 'call "1"\nwait tone "0,1,2,3,4,5,6,7,8,9,*,#" for 5s\nhangup\n'
    assert show(parse(text.replace('"0,', '"'))) in shown(text)
    menu = 'call "1"\nmenu {\n    "1,2,3,4,5,6" { say "x" }\n    "7,8,9,0,*,#" { say "y" }\n}\n'
    swapped = menu.replace('"x"', '"z"').replace('"y"', '"x"').replace('"z"', '"y"')
    assert show(parse(swapped)) in shown(menu)


def test_handlers_are_registered_later() -> None:
    head, handler, other = 'call "1"\n', 'on hangup { notify "http://h/over" }\n', 'on tone "0" { say "x" }\n'
    text = f'{head}{handler}{other}let a = 1\nplay "a"\nplay "b"\n'
    made = shown(text)
    assert show(parse(f'{head}{other}let a = 1\nplay "a"\n{handler}play "b"\n')) in made
    assert show(parse(f'{head}{handler}let a = 1\nplay "a"\n{other}play "b"\n')) in made
    # Behind another handler alone it is as early as before.
    assert show(parse(f'{head}{other}{handler}let a = 1\nplay "a"\nplay "b"\n')) not in made
    begun = f'{head}start record\nplay "a"\nstop record\nhangup\n'
    assert show(parse(begun.replace('start record\nplay "a"', 'play "a"\nstart record'))) in shown(begun)


def _told(tmp_path: Path, script: str, case: str) -> dict[str, str]:
    """Give what is said of each survivor, by the line that it has instead."""
    (tmp_path / "x.call").write_text(script)
    (tmp_path / "x.golden").write_text(f"script x.call\n{case}---\n")
    (verdict,) = try_cases([tmp_path / "x.golden"], update=True)
    mutation = Mutation()
    mutation.mutate(ran([verdict]))
    found = {}
    for one in mutation.survivors:
        lines = set(show(one.mutant.script).splitlines()) - set(show(one.source.script).splitlines())
        found[" ".join(sorted(lines)) or "moved"] = one.caught_by
    return found


def test_what_case_would_notice_is_said_and_does(tmp_path: Path) -> None:
    script = 'call "1"\nplay "a" until "1"\non hangup { notify "http://h/over" }\nplay "b"\nwait 2s\n'
    said = _told(tmp_path, script, 'sound "a" 5s\nphone "1" {\n    answer\n}\n')
    assert said["moved"].startswith("x.golden would, with `inject hang up on call-1 at 6s`")
    other_key = said['play "a" until "2"']
    found = re.search("`(inject press .* at [0-9a-z.]+)`", other_key)
    assert found, other_key
    case = (tmp_path / "x.golden").read_text().replace("---", f"{found[1]}\n---")
    now = _told(tmp_path, script, case.partition("\n")[2].partition("---")[0])
    assert 'play "a" until "2"' not in now


def test_a_case_that_is_not_found_is_described(tmp_path: Path) -> None:
    script = 'param who = 1\ncall "1"\nif who == 1 { say "x" } else if who == 2 { say "y" }\n'
    said = _told(tmp_path, script, 'phone "1" {\n    answer\n}\n')
    assert said
    assert all("would" in one for one in said.values())
    assert "two cases would, one for each way of this condition" in said.values()


def test_what_is_certain_to_change_nothing_is_no_mutant() -> None:
    assert show(parse(SCRIPT.replace("hangup\n", ""))) not in shown(SCRIPT)


def test_survivors_are_shown_as_lines_of_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "menu.call").write_text(SCRIPT)
    (tmp_path / "cases" / "yes.golden").write_text(CASE)
    monkeypatch.chdir(tmp_path)
    run(["test", "--update"])
    capsys.readouterr()
    run(["test", "--mutate"])
    out = capsys.readouterr().out
    assert "menu.call:2: no case notices\n    - menu tries 2 for 8s {\n    + menu tries 2 for 16s {\n" in out
    assert 'menu.call:5: no case comes here\n    -     "2" { say "No." }\n' in out
    assert '-     "1" {' not in out
    assert "http://h/yes/else" not in out
    assert "hangup" not in out
    last = out.splitlines()[-1]
    assert last.startswith("mutate: ")
    score = float(last.rpartition(": ")[2].removesuffix(" %"))
    run(["test", "--mutate", "--fail-under", str(score - 1)])
    with pytest.raises(SystemExit) as ended:
        run(["test", "--mutate", "--fail-under", str(score + 1)])
    assert ended.value.code == 1


def test_flows_of_used_scripts_are_mutated_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lib.call").write_text('flow greet(name) { say "Hello {name}." }\nflow other() { say "x" }\n')
    (tmp_path / "main.call").write_text('use "lib.call"\n\ncall "1"\ndo greet("Ann")\n')
    (tmp_path / "one.golden").write_text('script main.call\nphone "1" {\n    answer\n}\n---\n')
    monkeypatch.chdir(tmp_path)
    run(["test", "--update"])
    capsys.readouterr()
    run(["test", "--mutate"])
    out = capsys.readouterr().out
    assert 'lib.call:2: no case comes here\n    - flow other() { say "x" }\n' in out
    assert "Hello" not in out
    assert "of 2 scripts" in out
