"""`ringful check` and `ringful format`, as a person runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringful.media import wav
from tests.typed import ringful

CANONICAL = 'call "15125550001"\nplay "welcome.wav"\nhangup\n'
LOOSE = 'call   "15125550001"\r\n\r\n\r\n# hello\r\nplay "welcome.wav"\r\n\thangup'
UNBOUND = 'call "15125550001"\nplay greeting\n'
UNREADABLE = 'call "15125550001"\nply "welcome.wav"\n'


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = {"good": CANONICAL, "loose": LOOSE, "unbound": UNBOUND, "unreadable": UNREADABLE}
    for name, text in texts.items():
        Path(f"{name}.call").write_bytes(text.encode())
    return tmp_path


def test_the_installed_command_shows_a_problem_under_its_place(scripts):
    command = Path(sys.executable).with_name("ringful")
    done = subprocess.run([command, "check", "good.call", "unbound.call"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[:3] == [
        "unbound.call:2:6: `greeting` has no value here [unbound]",
        " 2 | play greeting",
        "   |      ^^^^^^^^",
    ]


def test_the_installed_command_formats(scripts):
    command = Path(sys.executable).with_name("ringful")
    done = subprocess.run([command, "format", "loose.call"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert subprocess.run([command, "format", "--check", "loose.call"]).returncode == 0


def test_a_good_script_has_no_problems(scripts, capsys):
    assert ringful(capsys, "check", "good.call") == ("", "", 0)


def test_all_files_are_checked_whatever_is_in_the_first(scripts, capsys):
    output, errors, code = ringful(capsys, "check", "unreadable.call", "good.call", "unbound.call")
    assert (errors, code) == ("", 1)
    assert "unreadable.call:2:1" in output
    assert "unbound.call:2:6" in output


def test_a_used_script_is_read_from_beside_its_user(scripts, capsys):
    Path("lib").mkdir()
    Path("lib/main.call").write_text('use "greet.call"\ncall "15125550001"\ndo greet()\n')
    output, _, code = ringful(capsys, "check", "lib/main.call")
    assert code == 1
    assert "there is no script `greet.call`" in output
    Path("lib/greet.call").write_text('flow greet() {\n    play "welcome.wav"\n}\n')
    assert ringful(capsys, "check", "lib/main.call") == ("", "", 0)


def test_check_explains_how_long_a_script_can_last_and_what_it_costs(scripts, capsys):
    Path("announcements").mkdir()
    Path("announcements/welcome.wav").write_bytes(wav.header(2 * wav.RATE * 3) + bytes(2 * wav.RATE * 3))
    Path("house.toml").write_text(
        '[media]\nring_timeout = "20s"\n[[rates.table]]\nprefix = "1512"\nper_minute = 0.6\n'
        '[[rates.table]]\nprefix = ""\nper_minute = 6\n'
    )
    assert ringful(capsys, "check", "--explain", "--config", "house.toml", "good.call", "unbound.call") == (
        'good.call:1:1: call "15125550001": 20 s ringing, then 3 s at most\n'
        "  line 2: play 3 s\n"
        "  costs 0.03 USD at most\n"
        "cost: 0.03 USD at most\n"
        "unbound.call:2:6: `greeting` has no value here [unbound]\n"
        " 2 | play greeting\n"
        "   |      ^^^^^^^^\n"
        "   = a text stands in double quotes\n",
        "",
        1,
    )
    Path("any.call").write_text("param callee\n\ncall callee\nwait 30s\n")
    output, _, code = ringful(capsys, "check", "--explain", "--config", "house.toml", "any.call")
    assert code == 0
    assert output.endswith("cost: 3 USD at most\n")
    output, _, code = ringful(capsys, "check", "--explain", "any.call")
    assert (code, output.splitlines()[-1]) == (0, "cost: no rates are configured")
    assert ringful(capsys, "check", "--explain", "--config", "none.toml", "any.call")[1:] == (
        "ringful: none.toml: No such file or directory\n",
        2,
    )


@pytest.mark.parametrize(
    ("text", "smpp", "segments"),
    [
        ("é" * 160, "", 1),
        ("x" * 306, "", 2),
        ("[" * 80 + "x", "", 2),
        ("ω" * 134, "", 2),
        ("x" * 2000, "", 10),
        ("€" * 70, "", 1),
        ("€" * 71, "", 1),
        ("€" * 71, 'alphabet = "latin1"\n', 2),
    ],
)
def test_check_explains_in_how_many_segments_a_text_goes(scripts, capsys, text, smpp, segments):
    Path("house.toml").write_text(
        '[[rates.table]]\nprefix = ""\nper_segment = 0.02\n'
        f'[sms.smpp]\naddress = "127.0.0.1:2775"\nsystem_id = "x"\npassword = "y"\n{smpp}'
    )
    Path("text.call").write_text(f'sms "15125550001" "{text}"\n')
    output, _, code = ringful(capsys, "check", "--explain", "--config", "house.toml", "text.call")
    assert (code, output.splitlines()[-1]) == (0, f"cost: {0.02 * segments:.2g} USD at most")


def test_a_used_script_that_cannot_be_read_is_said_to_be_so(scripts, capsys):
    Path("main.call").write_text('use "deep.call"\nuse "bad.call"\nuse "folder"\nwait 1s\n')
    Path("deep.call").write_text('use "lib/low.call"\nflow greet() {\n    do low()\n}\n')
    Path("lib").mkdir()
    Path("lib/low.call").write_text("flow low() {\n    wait 1s\n}\n")
    Path("bad.call").write_text("wait 1s\npaly\n")
    Path("folder").mkdir()
    assert ringful(capsys, "check", "deep.call") == ("", "", 0)
    output, errors, code = ringful(capsys, "check", "main.call")
    assert (errors, code) == ("", 1)
    assert output.splitlines() == [
        "main.call:2:1: `bad.call` cannot be used: bad.call:2:1: there is no statement `paly`"
        " [unknown-script]",
        ' 2 | use "bad.call"',
        "   | ^^^^^^^^^^^^^^",
        "   = see: ringful check bad.call",
        "main.call:3:1: `folder` cannot be used: folder: Is a directory [unknown-script]",
        ' 3 | use "folder"',
        "   | ^^^^^^^^^^^^",
    ]


def test_format_rewrites_what_is_not_canonical_and_nothing_else(scripts, capsys):
    Path("loose.call").chmod(0o640)
    before = Path("good.call").stat()
    assert ringful(capsys, "format", "good.call", "loose.call") == ("", "", 0)
    assert Path("good.call").stat() == before
    assert Path("loose.call").read_bytes() == (b'call "15125550001"\n\n# hello\nplay "welcome.wav"\nhangup\n')
    assert Path("loose.call").stat().st_mode & 0o777 == 0o640
    assert ringful(capsys, "format", "--check", "good.call", "loose.call") == ("", "", 0)


def test_format_check_says_which_and_changes_nothing(scripts, capsys):
    assert ringful(capsys, "format", "--check", "good.call", "loose.call") == (
        "loose.call: not in the canonical form\n",
        "",
        1,
    )
    assert Path("loose.call").read_bytes() == LOOSE.encode()


def test_format_leaves_what_it_cannot_read_and_does_the_rest(scripts, capsys):
    output, errors, code = ringful(capsys, "format", "unreadable.call", "loose.call")
    assert (output, code) == ("", 1)
    assert errors.startswith("unreadable.call:2:1: ")
    assert Path("unreadable.call").read_text() == UNREADABLE
    assert Path("loose.call").read_bytes() != LOOSE.encode()


def test_format_writes_through_a_link(scripts, capsys):
    os.symlink("loose.call", "link.call")
    assert ringful(capsys, "format", "link.call") == ("", "", 0)
    assert Path("link.call").is_symlink()
    assert ringful(capsys, "format", "--check", "loose.call")[2] == 0
    assert {path.name for path in Path().iterdir() if path.name.startswith(".")} == set()


@pytest.mark.parametrize("command", ["check", "format"])
def test_what_is_no_script_is_said_in_a_line(scripts, capsys, command):
    Path("latin.call").write_bytes(b'call "\xe9"')
    for args, said, code in [
        (["none.call"], "ringful: none.call: No such file or directory\n", 2),
        ([str(scripts)], f"ringful: {scripts}: Is a directory\n", 2),
        (["latin.call"], "ringful: latin.call: it is no UTF-8 text\n", 1),
        ([], "ringful: name at least one script\n", 2),
    ]:
        assert ringful(capsys, command, *args) == ("", said, code)


def test_format_fix_writes_old_words_anew(scripts, capsys):
    old = 'call "1" as me\ncall "2" as two  # é\nif me == two { call "3" as three; call "4" as four }\n'
    Path("old.call").write_text(old)
    _, errors, code = ringful(capsys, "format", "old.call")
    assert (code, errors.count("`ringful format --fix` does")) == (1, 3)
    assert ringful(capsys, "format", "--fix", "old.call") == ("", "", 0)
    new = Path("old.call").read_text()
    assert new.startswith('call "1" as me\nstart call "2" as two  # é\n')
    assert new.count("start call") == 3
    assert ringful(capsys, "format", "--check", "--fix", "old.call") == ("", "", 0)
    # What is wrong otherwise is told, and nothing is written.
    wrong = 'call "1"\ncall "2" as two\nply "x"\n'
    Path("old.call").write_text(wrong)
    _, errors, code = ringful(capsys, "format", "--fix", "old.call")
    assert (code, Path("old.call").read_text()) == (1, wrong)
    assert "there is no statement `ply`" in errors


def test_format_fix_writes_the_word_in_what_came_of_a_join(scripts, capsys):
    old = (
        'call "1"\njoin "room" as why\nif why == "nobody" or "full" == why { say "Nobody: {why}." }\nhangup\n'
    )
    Path("join.call").write_text(old)
    assert ringful(capsys, "check", "join.call")[2] == 1
    assert ringful(capsys, "format", "--fix", "join.call") == ("", "", 0)
    new = Path("join.call").read_text()
    assert 'if why.reason == "nobody" or "full" == why.reason { say "Nobody: {why.reason}." }' in new
    assert ringful(capsys, "check", "join.call") == ("", "", 0)
