"""Caps on real phones: what happens at the second at which the money has run out."""

import json
import subprocess
from decimal import Decimal
from pathlib import Path

from tests.server import PATIENCE, Receiver, Server, free_port, phone, receiver, server
from tests.sipp import calling

ANN, BEN, OURS = "15125551234", "15125555678", "+18005550000"
RATES = """prefix,direction,per_minute
,outbound,0.6
,inbound,1.2
"""


def of(web: Receiver, call_id: str, action: str) -> dict[str, str]:
    """Wait for what is told of a call."""
    while True:
        for _, fields in web.told:
            if (fields["callId"], fields["action"]) == (call_id, action):
                return fields
        path, fields, _ = web.arrived.get(timeout=PATIENCE)
        web.told.append((path, fields))


def capped(ringful: Server, cap: str) -> None:
    ringful.command("keys", "set", "test", "--cap", cap)


def lines(process: "subprocess.Popen[str]") -> list[dict[str, object]]:
    """Give what a phone says, up to the end of its first call."""
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(json.loads(line))
        if said[-1].get("event") == "ended" or "by" in said[-1]:
            break
    return said


def spent(ringful: Server) -> str:
    shown = ringful.command("keys", "show", "test")
    return next(line for line in shown.splitlines() if line.startswith("spent: "))


def test_a_cap_that_runs_out_ends_a_call_and_its_bill_is_within_it(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text(RATES)
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, far),
        server(tmp_path, address, RINGFUL_RATES__FILE=str(rates)) as ringful,
    ):
        capped(ringful, "0.02")
        call_id = ringful.ask("Call", callee=ANN, callbackUrl=f"{web.url}/call")
        reached, end = of(web, call_id, "SpendingCapReached"), of(web, call_id, "ServerHangup")
        assert (reached["spent"], reached["cap"]) == ("0.02", "0.02")
        assert (end["reason"], end["billAmount"]) == ("spending cap", "0.02")
        assert lines(far)  # The far end has been hung up.
        assert web.actions == ["CallEstablished", "SpendingCapReached", "ServerHangup"]
        assert ringful.query(call_id)["billAmount"] == "0.02"
        assert spent(ringful) == "spent: 0.02 of 0.02, 0 left"
        code, said = ringful.refused(ringful.url("Call", callee=ANN))
        assert code == 403
        assert "this key has spent 0.02, and its cap is 0.02" in said


def test_two_calls_at_once_share_what_there_is(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text(RATES)
    with (
        receiver({}) as web,
        phone("--answer-after", "0s", "--calls", "2") as (address, _),
        server(tmp_path, address, RINGFUL_RATES__FILE=str(rates)) as ringful,
    ):
        capped(ringful, "0.05")
        calls = [ringful.ask("Call", callee=one, callbackUrl=f"{web.url}/call") for one in (ANN, BEN)]
        ends = [of(web, one, "ServerHangup") for one in calls]
        assert {end["reason"] for end in ends} == {"spending cap"}
        # All of it is spent, to the cent, and no more.
        assert sum(Decimal(end["billAmount"]) for end in ends) == Decimal("0.05")
        assert spent(ringful) == "spent: 0.05 of 0.05, 0 left"


def test_a_cap_that_is_set_ends_a_call_that_is_up(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text(RATES)
    with (
        receiver({}) as web,
        phone("--answer-after", "0s") as (address, _),
        server(tmp_path, address, RINGFUL_RATES__FILE=str(rates)) as ringful,
    ):
        call_id = ringful.ask("Call", callee=ANN, callbackUrl=f"{web.url}/call")
        of(web, call_id, "CallEstablished")
        capped(ringful, "0.01")
        end = of(web, call_id, "ServerHangup")
        assert end["reason"] == "spending cap"
        assert Decimal(end["billAmount"]) <= Decimal(end["duration"]) / 100


def test_a_call_that_comes_in_costs_and_is_declined_where_it_cannot_be_paid(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text(RATES)
    with (
        receiver({}) as web,
        server(tmp_path, f"127.0.0.1:{free_port()}", RINGFUL_RATES__FILE=str(rates)) as ringful,
    ):
        # A cap that is set later is followed within five seconds.
        capped(ringful, "0.05")
        ringful.ask("Number", number=OURS, callbackUrl=f"{web.url}/call")
        with phone("--call", OURS, "--server", ringful.sip):
            call_id = web.until("CallReceived")[0][1]["callId"]
            ringful.ask("Play", callId=call_id, announcement=f"{web.url}/none.wav")
            end = of(web, call_id, "ServerHangup")
        assert (end["reason"], end["billAmount"]) == ("spending cap", "0.04")
        with calling("call_refused", tmp_path, OURS, ringful.sip) as far:
            assert far.wait(PATIENCE) == 0
        assert web.actions.count("CallReceived") == 1
