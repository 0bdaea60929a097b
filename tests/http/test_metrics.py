"""Metrics: they count what happened, their labels are bounded, and the page about them is complete."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import trio
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ringful.ground.lag import LOOK_SECONDS, LOOKS, Lag
from ringful.ground.metrics import Metrics, Spread
from tests.server import PATIENCE, Server, phone, receiver, server

ROOT = Path(__file__).parents[2]
NUMBER = "15125551234"


@pytest.fixture(scope="module")
def line() -> Iterator[str]:
    with phone("--answer-after", "0.1s", "--hang-up-after", "20s") as (address, _):
        yield address


@pytest.fixture(scope="module")
def ringful(tmp_path_factory: pytest.TempPathFactory, line: str) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("server"), line) as running:
        yield running


def read(ringful: Server) -> str:
    with urlopen(f"{ringful.base}/metrics", timeout=PATIENCE) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        return str(answer.read().decode())


def values(ringful: Server) -> dict[str, float]:
    """Give every sample, its labels behind its name: ``name{a=b,c=d}``."""
    found = {}
    for family in text_string_to_metric_families(read(ringful)):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def until(ringful: Server, true: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = values(ringful)
        if true(found):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_a_call_is_counted_while_it_is_up_and_when_it_has_ended(ringful: Server) -> None:
    before = values(ringful)
    ended = "ringful_calls_ended_total{direction=outbound,outcome=completed}"
    with receiver({}) as web:
        call_id = ringful.ask("Call", callee=NUMBER, callbackUrl=f"{web.url}/c")
        ringful.ask("WaitForTone", callId=call_id, tone="1")
        ringful.ask("Play", callId=call_id, announcement="nothing")
        web.until("CallEstablished")
        up = values(ringful)
        assert (up["ringful_calls{state=up}"], up["ringful_legs{state=up}"]) == (1, 1)
        assert up["ringful_statements_waiting"] == 1
        time.sleep(1.2)  # The figures of RTP are read once a second.
        ringful.ask("Hangup", callId=call_id)
        web.until("ServerHangup")
        after = until(ringful, lambda now: now["ringful_callbacks_waiting"] == 0 and ended in now)
    assert after["ringful_callbacks_delivered_total"] - before["ringful_callbacks_delivered_total"] >= 2
    assert after[ended] - before.get(ended, 0) == 1
    assert after["ringful_calls{state=up}"] == after["ringful_legs{state=up}"] == 0
    assert after["ringful_call_setup_seconds_count{until=answered}"] >= 1
    assert after["ringful_rtp_packets_received_total"] > before["ringful_rtp_packets_received_total"]
    assert after["ringful_rtp_jitter_seconds_count"] - before["ringful_rtp_jitter_seconds_count"] == 1
    assert after["ringful_store_commit_seconds_count"] > before["ringful_store_commit_seconds_count"]
    writes = after["ringful_store_commit_writes_sum"] - before["ringful_store_commit_writes_sum"]
    assert (
        writes >= after["ringful_store_commit_seconds_count"] - before["ringful_store_commit_seconds_count"]
    )
    assert after["ringful_callbacks_waiting"] == after["ringful_callbacks_lag_seconds"] == 0


def test_a_conference_is_counted_as_what_it_is(ringful: Server) -> None:
    call = ringful.ask("Call", callee=NUMBER)
    conference = ringful.ask("StartConf", moderator=NUMBER, callId=call, waitForParticipant="false")
    until(ringful, lambda now: (now["ringful_conferences"], now["ringful_calls{state=up}"]) == (1, 1))
    ringful.ask("HangupConf", confCallId=conference)
    until(ringful, lambda now: now["ringful_conferences"] == now["ringful_calls{state=up}"] == 0)


def test_a_sound_that_fails_and_a_script_without_a_call(ringful: Server) -> None:
    call_id = ringful.ask("Call", callee=NUMBER)
    ringful.ask("Play", callId=call_id, announcement="nothing")
    failed = "ringful_sounds_failed_total{what=play}"
    until(ringful, lambda now: now.get(failed, 0) == 1)
    ringful.ask("Hangup", callId=call_id)
    until(ringful, lambda now: now["ringful_calls{state=up}"] == 0)


def test_a_callback_for_a_receiver_that_is_away_waits_and_lags(ringful: Server) -> None:
    call_id = ringful.ask("Call", callee=NUMBER, callbackUrl="http://127.0.0.1:1/")
    found = until(ringful, lambda now: now["ringful_callbacks_lag_seconds"] > 1)
    assert found["ringful_callbacks_waiting"] >= 1
    assert found["ringful_callbacks_failed_attempts_total"] >= 1
    ringful.ask("Hangup", callId=call_id)


def test_a_worker_that_dies_is_counted(ringful: Server) -> None:
    before = values(ringful)
    os.kill(ringful.workers()[0], signal.SIGKILL)
    found = until(
        ringful, lambda now: now["ringful_workers_died_total"] > before["ringful_workers_died_total"]
    )
    assert found["ringful_log_lines_total{level=error}"] > before["ringful_log_lines_total{level=error}"]
    until(ringful, lambda now: now["ringful_workers_started_total"] > before["ringful_workers_started_total"])


def test_no_label_holds_what_a_client_chose(ringful: Server) -> None:
    for path in (
        "/nonsense-77",
        "/Play77/apikey/key-77",
        "/recordings/file-77.wav",
        "/Call/apikey/key-77?x=77",
    ):
        ringful.refused(ringful.base + path)
    ringful.refused(ringful.url("QueryCall", callId="r1-call-77"))
    ringful.refused(ringful.url("Call", callee="442071838777"))
    text = read(ringful)
    labels = set(re.findall(r'[a-z_]+="[^"]*"', text))
    assert {label for label in labels if "77" in label or ringful.key in label or NUMBER in label} == set()
    assert {'method="other"', 'method="recordings"', 'method="call"', 'code="key.unknown"'} <= labels
    assert 'code="call.notallowed"' in labels
    status = values(ringful)
    assert status["ringful_http_requests_total{method=call,status=401}"] >= 1


def test_the_page_about_metrics_has_each_of_them_and_no_other(ringful: Server) -> None:
    page = (ROOT / "docs" / "operation.md").read_text()
    section = page.partition("## Metrics")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `([a-z_]+)[`{]", section, re.MULTILINE))
    there = set(re.findall(r"^# HELP (\S+)", read(ringful), re.MULTILINE))
    # Those of a SIP front are there only where there is one.
    assert listed == there | {one for one in listed if one.startswith("ringful_front_")}
    assert len(there) > 25


def test_a_spread_is_read_as_a_histogram_is() -> None:
    bounds = (0.001, 1, 5)
    theirs, ours = (
        Histogram("one", "About it.", buckets=bounds, registry=None),
        Spread("one", "About it.", buckets=bounds),
    )
    read = []
    for one in (theirs, ours):
        registry = CollectorRegistry()
        registry.register(one)
        for value in (0.0, 0.001, 0.5, 1.0, 1.5, 5.0, 7.25):
            one.observe(value)
        read.append(generate_latest(registry))
    assert read[0] == read[1]
    assert b'one_bucket{le="1.0"} 4.0' in read[1]


async def test_a_loop_that_is_held_is_seen_to_lag(autojump_clock: trio.testing.MockClock) -> None:
    metrics = Metrics()
    lag = Lag(metrics.loop_lag.observe)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lag.watch)
        await trio.sleep(LOOK_SECONDS * 3.5)
        for late in range(LOOKS):
            assert not lag.lasting, f"{late} late looks are a hiccup"
            autojump_clock.jump(LOOK_SECONDS / 2 + 0.5)
            await trio.testing.wait_all_tasks_blocked()
            await trio.sleep(LOOK_SECONDS / 2)
        assert lag.lasting == pytest.approx(0.5)
        await trio.sleep(LOOK_SECONDS)
        assert not lag.lasting
        nursery.cancel_scope.cancel()
    total = metrics.registry.get_sample_value("ringful_loop_lag_seconds_sum")
    assert metrics.registry.get_sample_value("ringful_loop_lag_seconds_count") == 3 + LOOKS + 1
    assert total == pytest.approx(0.5 * LOOKS)
