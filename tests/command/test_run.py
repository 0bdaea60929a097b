"""`ringful run` against a real server, a real phone, and nobody at all."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.forked import done
from tests.server import PATIENCE, RINGFUL, Server, free_port, phone, receiver, server

NUMBER = "15125551234"
ALWAYS = """param times = 2
repeat times times {
    notify "http://127.0.0.1:1/" with { count: times }
    wait 1ms
}
"""


def started(ringful: Server, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*RINGFUL, "run", *arguments],
        cwd=ringful.folder,
        env=ringful.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(ringful: Server, *arguments: str) -> tuple[int, str, str]:
    ended = done("run", *arguments, cwd=ringful.folder, env=ringful.environment)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.fixture(scope="module")
def ringful(tmp_path_factory: pytest.TempPathFactory):
    with server(tmp_path_factory.mktemp("server"), f"127.0.0.1:{free_port()}") as running:
        yield running


def written(folder: Path, text: str) -> str:
    file = folder / "try.call"
    file.write_text(text)
    return str(file)


def test_a_script_is_followed_to_its_end_on_a_real_phone(tmp_path: Path) -> None:
    text = f'param key\ncall "{NUMBER}"\nwait tone key for 20s else {{ hangup }}\nwait 200ms\n'
    with (
        phone("--answer-after", "0.2s", "--press", "4@0.5s") as (address, _),
        server(tmp_path, address) as ringful,
    ):
        code, out, err = run(ringful, written(tmp_path, text), "--param", "key=4")
        assert code == 0, err
        lines = [line.split("  ")[2:] for line in out.splitlines()]
        verbs = [line[0].strip() for line in lines]
        assert verbs == ["ring", "ringing", "answered", "pressed", "hangup", "ended"]
        assert out.splitlines()[0].endswith("@try.call:2")
        assert "has started" in err
        assert "has completed" in err


def test_values_are_typed_as_they_are_written(ringful: Server, tmp_path: Path) -> None:
    for given in ("times=3", "times:=3"):
        code, out, err = run(ringful, written(tmp_path, ALWAYS), "--param", given)
        assert (code, out.count(" post ")) == (0, 3), err
    code, _, err = run(ringful, written(tmp_path, ALWAYS), "--param", "times=x")
    assert (code, err) == (
        1,
        "ringful: times.invalid: times must be a number such as 3 or 0.5, like its default, not 'x'\n",
    )
    assert run(ringful, written(tmp_path, ALWAYS), "--param", "times:=x")[0] == 2
    assert run(ringful, written(tmp_path, ALWAYS), "--param", "times")[0] == 2


def test_a_call_that_does_not_come_about_is_a_failure(ringful: Server, tmp_path: Path) -> None:
    code, out, err = run(ringful, written(tmp_path, f'call "{NUMBER}"\nwait 1s\n'))
    assert code == 1
    assert "refused" in out
    assert err.splitlines()[-1].endswith("ended: unreachable")


def test_a_script_with_errors_is_refused_with_their_places(ringful: Server, tmp_path: Path) -> None:
    code, out, err = run(ringful, written(tmp_path, 'pley "x"\n'))
    assert (code, out) == (1, "")
    assert "try.call:1:1: there is no statement `pley`" in err
    assert " 1 | pley" in err


def test_the_first_interrupt_hangs_up_and_waits_for_the_end(ringful: Server, tmp_path: Path) -> None:
    text = 'notify "http://127.0.0.1:1/" with { a: 1 }\nwait 1h\n'
    with started(ringful, written(tmp_path, text)) as process:
        assert process.stdout
        assert " post " in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "now           hangup" in out
    assert "hanging up; Ctrl-C again leaves" in err
    assert err.splitlines()[-1].endswith("ended: interrupted")


def test_a_detached_run_is_left_alone(ringful: Server, tmp_path: Path) -> None:
    with receiver({}) as web:
        url = f"{web.url}/end"
        code, out, _ = run(ringful, written(tmp_path, "wait 1ms\n"), "--detach", "--callback", url)
        ((path, told),) = web.until("ScriptEnded")
        assert (code, path, told["callId"], told["outcome"]) == (0, "/end", out.strip(), "completed")


def test_a_server_that_starts_again_is_waited_for(tmp_path: Path) -> None:
    text = 'notify "http://127.0.0.1:1/" with { a: 1 }\nwait 1h\n'
    with server(tmp_path, f"127.0.0.1:{free_port()}") as ringful:
        with started(ringful, written(tmp_path, text)) as process:
            assert process.stdout
            assert " post " in process.stdout.readline()
            ringful.kill()
            ringful.start()
            _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
        assert err.splitlines()[-1].endswith("ended: lost")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "http://127.0.0.1:1"], "no server answers at http://127.0.0.1:1"),
        (["--url", "nowhere"], "expected an address such as"),
        (["--key", "none", "--secret", "x"], "key.unknown"),
        (["--key", "none"], "there is no key none; see: ringful keys list"),
    ],
)
def test_a_server_that_cannot_be_asked(
    ringful: Server, tmp_path: Path, arguments: list[str], said: str
) -> None:
    code, out, err = run(ringful, written(tmp_path, "wait 1s\n"), *arguments)
    assert (code > 0, out) == (True, "")
    assert said in err


def test_a_file_that_cannot_be_read(ringful: Server) -> None:
    assert run(ringful, "missing.call")[0] == 2
