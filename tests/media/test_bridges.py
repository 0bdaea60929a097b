"""Connections, mutes and transfers as a run sees them: its journal, and what comes in an odd order."""

import pytest

from ringful.interpreter import effects, events
from ringful.interpreter.calls.view import rebuild, view
from ringful.interpreter.journal import decode_event, encode
from ringful.media import port
from ringful.store.port import Entry
from tests.interpreter.test_run import Desk

TWO = """call "1512" notify "http://h/call"
start call "1513" as other notify "http://h/other"
connect other for 45s
notify "http://h/after"
stay
"""
TRANSFER = 'call "1512" notify "http://h/call"\ntransfer "1513"\nnotify "http://h/after"\nstay\n'


def connected() -> Desk:
    """Give two legs of a run that hear each other."""
    desk = Desk(TWO)
    desk.give(port.Answered("c1"))
    desk.give(port.PlaybackStarted("c1", 1), port.Answered("c1.other"))
    desk.give(port.PlaybackEnded("c1", 1, "stopped"), port.Connected("c1", 2))
    return desk


def urls(desk: Desk) -> list[str]:
    return [one.url for one in desk.out if isinstance(one, effects.Notify)]


EVENTS: list[events.Event] = [
    port.Connected("c1", 2),
    port.Disconnected("c1", 2, "other"),
    port.ConnectFailed("c1", 2, "it is gone"),
    port.Transferred("c1", 3),
    port.TransferFailed("c1", 3, "busy", 486, "Busy Here"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_survive_the_journal(event: events.Event) -> None:
    entry = Entry("c1", 1, 0.0, "event", type(event).__name__, encode(event))
    assert decode_event(entry) == event


def test_a_journal_rebuilds_a_connected_run() -> None:
    desk = connected()
    rebuilt = rebuild("c1", desk.entries, desk.settings)
    assert view(rebuilt, 1000.0) == view(desk.run, 1000.0)
    connection = rebuilt.legs["c1"].connection
    assert connection
    assert connection.legs == ("c1", "c1.other")
    assert rebuilt.legs["c1.other"].connection is connection


def test_ringback_is_played_again_when_it_ends_and_not_over_music() -> None:
    desk = Desk(TWO)
    desk.give(port.Answered("c1"), port.PlaybackStarted("c1", 1))
    desk.give(port.PlaybackEnded("c1", 1, "end"), after=60)
    rings = [one for one in desk.out if isinstance(one, effects.Play)]
    assert [(one.playback, one.sound) for one in rings] == [(1, port.Ringback()), (2, port.Ringback())]
    music = Desk(TWO.replace("start call", 'start play "m"\nstart call'))
    music.give(port.Answered("c1"))
    music.give(port.PlaybackStarted("c1", 1))
    assert [one.sound for one in music.out if isinstance(one, effects.Play)] == [port.Announcement("m")]
    assert not [one for one in music.out if isinstance(one, effects.StopPlayback)]
    music.give(port.Answered("c1.other"))
    assert [one.playback for one in music.out if isinstance(one, effects.StopPlayback)] == [1]


def test_the_time_of_a_connection_counts_from_the_connection() -> None:
    desk = connected()
    (limit,) = [one for one in desk.out if isinstance(one, effects.SetTimer) and one.seconds == 45]
    desk.give(events.TimerFired(limit.timer), after=45)
    assert desk.done(effects.Disconnect) == [effects.Disconnect("c1", 2)]
    assert "http://h/after" not in urls(desk)
    desk.give(port.Disconnected("c1", 2, "stopped"))
    assert urls(desk)[-1] == "http://h/after"
    assert not desk.done(effects.Hangup)


def test_a_connection_that_the_media_refuses_is_told_and_the_script_goes_on() -> None:
    desk = Desk(TWO)
    desk.give(port.Answered("c1"), port.Answered("c1.other"))
    desk.give(port.ConnectFailed("c1", 2, "no media worker is left"))
    assert urls(desk)[-2:] == ["http://h/call", "http://h/after"]
    failed = [one for one in desk.out if isinstance(one, effects.Notify)][-2].fields
    assert (failed["action"], failed["leg"]) == ("ConnectFailed", "c1.other")
    assert (failed["reason"], failed["detail"]) == ("failed", "no media worker is left")


def test_an_end_of_this_leg_that_comes_as_the_connections_end_runs_nothing_more() -> None:
    desk = connected()
    desk.give(port.Disconnected("c1", 2, "hangup"), port.HungUp("c1", "callee"))
    assert "http://h/after" not in urls(desk)
    desk.give(port.HungUp("c1.other", "server"))
    assert desk.run.ended


def test_a_leg_whose_end_is_told_without_that_of_its_connection_ends_it() -> None:
    desk = connected()
    desk.give(port.HungUp("c1.other", "lost"))
    assert desk.run.legs["c1"].connection is None
    assert urls(desk)[-1] == "http://h/after"


def test_a_key_of_a_muted_leg_goes_nowhere_and_is_not_typed_ahead() -> None:
    desk = connected()
    desk.run.legs["c1"].muted = True
    desk.give(port.TonePressed("c1", "5"))
    assert not desk.done(effects.SendTones)
    assert not desk.run.legs["c1"].buffer
    desk.give(port.TonePressed("c1.other", "6"))
    assert desk.done(effects.SendTones) == [effects.SendTones("c1", 3, "6")]


def test_a_queued_transfer_that_works_is_done() -> None:
    desk = Desk('call "1512" notify "http://h/call"\nstay\n')
    desk.give(port.Answered("c1"))
    desk.queue('transfer "1513"')
    desk.queue('play "a"')
    desk.give(port.Transferred("c1", 1), port.HungUp("c1", "callee"))
    assert desk.tasks == ["done", "discarded"]
    ends = [one.fields for one in desk.out if isinstance(one, effects.Notify)][-1]
    assert (ends["action"], ends["reason"]) == ("ServerHangup", "transferred")


def test_a_transfer_that_succeeds_after_its_time_still_ends_the_leg() -> None:
    desk = Desk(TRANSFER)
    desk.give(port.Answered("c1"))
    timer = [one for one in desk.out if isinstance(one, effects.SetTimer)][-1]
    desk.give(events.TimerFired(timer.timer), after=60)
    assert urls(desk)[-1] == "http://h/after"
    desk.give(port.Transferred("c1", 1))
    assert desk.done(effects.Hangup) == [effects.Hangup("c1", "transferred")]
    desk.give(port.HungUp("c1", "server"))
    assert desk.run.ended


def test_a_transfer_that_fails_after_its_time_is_told_once() -> None:
    desk = Desk(TRANSFER)
    desk.give(port.Answered("c1"))
    timer = [one for one in desk.out if isinstance(one, effects.SetTimer)][-1]
    desk.give(events.TimerFired(timer.timer), after=60)
    desk.give(port.TransferFailed("c1", 1, "busy", 486))
    assert sum(one.startswith("TransferFailed") for one in desk.told) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('call "1512" as host\nlet x = host\nhangup x\nstay\n', ""),
        ('call "1512"\nlet x = "nobody"\nconnect x\nstay\n', "`x` is no leg of this script"),
        ('call "1512" as host\nlet x = host\nconnect x\nstay\n', "a leg cannot be connected with itself"),
    ],
)
def test_a_name_that_is_no_leg_is_a_fault_of_the_script(text: str, fault: str) -> None:
    desk = Desk(text)
    desk.give(port.Answered("c1"))
    assert (desk.run.fault.message if desk.run.fault else "") == fault


def test_a_leg_that_is_connected_with_another_is_engaged() -> None:
    desk = Desk(
        'call "1512" notify "http://h/call"\nstart call "1513" as other\n'
        'call "1514" notify "http://h/third" { connect other }\nconnect other\nstay\n'
    )
    desk.give(port.Answered("c1"), port.Answered("c1.other"))
    desk.give(port.Connected("c1", 2))
    desk.give(port.Answered("c1.2"))
    told = [one.fields for one in desk.out if isinstance(one, effects.Notify)]
    failed = next(fields for fields in told if fields["action"] == "ConnectFailed")
    assert (failed["callId"], failed["leg"], failed["reason"]) == ("c1.2", "c1.other", "engaged")
    assert len(desk.done(effects.Connect)) == 1
