"""Conferences: what a run tells them, what they tell it, and how they are found."""

import pytest
from attrs import evolve

from ringful.grammar import nodes
from ringful.grammar.reading.parser import parse, parse_statements
from ringful.interpreter import conference, effects, events, room
from ringful.interpreter.calls.view import Deaf, rebuild, view
from ringful.interpreter.journal import decode_event, encode
from ringful.interpreter.run import Run
from ringful.interpreter.settings import Settings
from ringful.media import port
from ringful.store.port import Entry
from tests.interpreter.test_run import Desk

PLAN = events.Plan("+1 (512) 1", notify="http://h/room", holder="c1")


class House(Desk):
    """A conference whose members are given by hand."""

    def __init__(self, plan: events.Plan, most: int = 250, queue: int = 1000) -> None:
        self.out: list[effects.Effect] = []
        self.entries: list[Entry] = []
        self.at = 1000.0
        self.queued = 0
        maker = Desk('call "1512"\n').run
        settings = Settings(conference_size=most, queue_size=queue)
        started = room.started_by(maker, plan)
        self.run = Run(started, "c1.room", self, settings, journal=self.entries.append)
        self.run.start()
        self.run.drain()

    @property
    def said(self) -> list[effects.Effect]:
        """Take what came out since the last time, but for callbacks."""
        out, self.out = self.out, []
        return [
            one for one in out if not isinstance(one, effects.Notify | effects.SetTimer | effects.CancelTimer)
        ]


def opened(plan: events.Plan = PLAN, most: int = 250, queue: int = 1000) -> House:
    house = House(plan, most, queue)
    house.give(port.Answered("c1.room"))
    assert house.said == [effects.OpenRoom("c1.room", plan.speaking)]
    return house


def came(leg: str, number: str = "", call: str = "c1") -> events.MemberCame:
    return events.MemberCame(call, leg, number or leg)


EVENTS: list[events.Event] = [
    events.MemberCame("c1", "c1.2", "+1512", True, True, True, True, 9),
    events.MemberCame("c1", "c1.2", "+1512", coaching="c2"),
    events.MembersChange("coach", "c2", "c1", "c1"),
    events.MemberWent("c1.2", "limit"),
    events.MembersChange("deafen", None, "c1", "c1"),
    events.Closed(),
    events.Held("c2"),
    events.Released("c2", "moderator busy"),
    events.Joined("c1", "c2.team", "team"),
    events.Left("c1", "c2.team", "kicked", False, "why", "team"),
    events.NotReached("team", "nobody"),
    events.Interrupted("leave", conference="c2.team"),
    port.Speaking("c1.room", "c1", True),
    port.JoinFailed("c1.room", "c1", "the room is full"),
    events.Started(parse("wait 1s\n"), plan=evolve(PLAN, name="team", most=3, speaking=True)),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_survive_the_journal(event: events.Event) -> None:
    entry = Entry("c1", 1, 0.0, "event", type(event).__name__, encode(event))
    assert decode_event(entry) == event


def test_an_event_of_an_older_journal_is_read() -> None:
    data = {"call": "c1", "leg": "c1", "number": "1", "moderator": False, "muted": True}
    assert decode_event(Entry("r", 1, 0.0, "event", "MemberCame", data)) == events.MemberCame(
        "c1", "c1", "1", muted=True
    )


ASKED: list[tuple[effects.ForConference, conference.Message]] = [
    (effects.OpenConference("team", PLAN), events.Held("c1")),
    (effects.ReleaseConference("team", "x"), events.Released("c1", "x")),
    (
        effects.JoinConference("c1", "team", "1", True, False, True, False, 3),
        events.MemberCame("c1", "c1", "1", True, False, True, False, 3),
    ),
    (effects.LeaveConference("c1", "team", "left"), events.MemberWent("c1", "left")),
    (effects.PassTone("c1", "team", "5"), events.MemberPressed("c1", "5")),
    (effects.QueueOn("team", nodes.StopPlay()), events.Queued(0, nodes.StopPlay())),
    (effects.ChangeMembers("team", "kick", "x", "c1"), events.MembersChange("kick", "x", "c1", "c1")),
]


@pytest.mark.parametrize(("effect", "event"), ASKED, ids=lambda one: type(one).__name__)
def test_what_a_call_asks_comes_as_an_event(effect: effects.ForConference, event: conference.Message) -> None:
    assert conference.message("c1", effect) == event


def test_who_asks_a_conference_that_is_not_there_is_told_where_that_matters() -> None:
    join = effects.JoinConference("c1", "c9.room", "1")
    assert conference.unreached(join, ended=True) == events.Left(
        "c1", "c9.room", "ended", detail="the conference c9.room has ended"
    )
    assert conference.unreached(join, ended=False) == events.Left(
        "c1", "c9.room", "unknown", detail="there is no conference c9.room"
    )
    queue = effects.QueueOn("team", nodes.StopPlay())
    assert conference.unreached(queue, ended=False) == events.NotReached(
        "team", "nobody is in a conference team"
    )
    for effect in (effects.PassTone("c1", "x", "1"), effects.ReleaseConference("x")):
        assert conference.unreached(effect, ended=True) is None


@pytest.mark.parametrize(
    ("name", "wrong"), [("a.b", "dot"), (" ", "line"), ("a\nb", "line"), ("x" * 65, "64")]
)
def test_what_can_be_no_name(name: str, wrong: str) -> None:
    assert wrong in conference.bad_name(name)


def test_an_id_is_made_of_a_name_and_is_one_of_its_own() -> None:
    assert not conference.bad_name("Ünser Team / 1")
    assert conference.word_of("Ünser Team / 1") == "nser-team-1"
    assert conference.word_of("團隊") == "room"
    run = Desk('call "1512"\n').run
    for wanted in ("c1.nser-team-1", "c1.nser-team-1-2", "c1.nser-team-1-3"):
        assert run.new_id("nser-team-1") == wanted
        assert not conference.is_name(wanted)
    assert run.new_id("nser-team-1-2") == "c1.nser-team-1-2-2"
    assert run.new_id("a" * 63 + "-b") == "c1." + "a" * 63


def test_who_comes_before_the_room_is_there_is_let_in_with_it() -> None:
    house = House(PLAN)
    house.give(came("c1.2"))
    assert house.said == [effects.OpenRoom("c1.room")]
    house.give(port.Answered("c1.room"))
    assert house.said == [effects.Admit("c1", "c1.2")]


def test_where_there_can_be_no_room_everybody_is_told() -> None:
    house = House(PLAN)
    house.give(came("c1.2"), port.Refused("c1.room", "capacity"))
    assert effects.Dismiss("c1", "c1.2", "capacity", False, "capacity") in house.out
    assert house.told[-1].startswith("ConfCallCompleted")
    assert house.run.ended


def test_a_number_is_known_however_it_is_written() -> None:
    house = opened()
    house.give(came("c1.2", "512-7"), came("c1", "+15121"))
    house.give(events.MembersChange("mute", "5127"))
    assert effects.Adjust("c1.2", True) in house.out
    house.give(events.MemberWent("c1", "hangup"))
    assert effects.Hangup("c1.room", "moderator left") in house.out


def test_what_is_so_already_is_not_done_again() -> None:
    house = opened()
    house.give(came("c1.2"), came("c1.3"))
    assert len(house.said) == 2
    house.give(events.MembersChange("mute", by="c1.2"), events.MembersChange("mute"))
    assert house.said == [effects.Adjust("c1.3", True), effects.Adjust("c1.2", True)]
    house.give(events.MembersChange("deafen", "c1.2"), events.MembersChange("unmute", "c1.2"))
    assert house.said == [effects.Adjust("c1.2", True, True), effects.Adjust("c1.2", False, True)]


def test_a_coach_is_heard_by_the_one_that_is_there_and_by_nobody_without_it() -> None:
    house = opened(events.Plan())
    house.give(evolve(came("c2"), coaching="+1512"), came("c3", "1512"), came("c4", "1512"))
    assert house.said == [
        effects.Admit("c1", "c2", heard_by=""),
        effects.Admit("c1", "c3"),
        effects.Adjust("c2", heard_by="c3"),
        effects.Admit("c1", "c4"),
    ]
    house.give(events.MembersChange("kick", "c3"))
    assert house.said == [effects.Dismiss("c1", "c3", "kicked"), effects.Adjust("c2", heard_by="c4")]
    house.give(events.MemberWent("c4", "hangup"), events.MembersChange("deafen", "c2"))
    assert house.said == [
        effects.Adjust("c2", heard_by=""),
        effects.Adjust("c2", deaf=True, heard_by=""),
    ]
    house.give(events.MembersChange("coach", None, "c2"), events.MembersChange("coach", None, "c2"))
    assert house.said == [effects.Adjust("c2", deaf=True)]


def test_who_coaches_whom_is_told_where_it_cannot_be() -> None:
    house = opened(events.Plan())
    house.give(evolve(came("c2"), coaching="c2"), events.MembersChange("coach", "c2", "c2", "c1"))
    house.give(
        events.MembersChange("coach", "c3", "c9", "c1"), events.MembersChange("coach", "c3", "c2", "c1")
    )
    assert house.said == [
        effects.Admit("c1", "c2", heard_by=""),
        effects.NotReach("c1", "c2 cannot coach itself: it stays as it was"),
        effects.NotReach("c1", "c9 is not in the conference c1.room, and coaches nobody"),
        effects.Adjust("c2", heard_by=""),
        effects.NotReach("c1", "c3 is not in the conference c1.room: nobody hears c2 until it is"),
    ]


def test_a_coach_who_waits_outside_comes_in_as_one() -> None:
    house = opened(events.Plan())
    house.give(evolve(came("c2"), waiting=True), events.MembersChange("coach", "c3", "c2"), came("c3"))
    assert house.said == [
        effects.Admit("c1", "c3"),
        effects.Admit("c1", "c2", heard_by="c3"),
    ]


def test_whoever_asks_for_what_cannot_be_is_told_if_he_can_be() -> None:
    house = opened()
    house.give(events.MembersChange("kick", "c9", call="c1"), events.MembersChange("kick", "c9"))
    house.give(events.MembersChange("kick", by="c1", call="c1"))
    assert house.said == [effects.NotReach("c1", "c9 is not in the conference c1.room")]


def test_the_smallest_of_all_sizes_holds() -> None:
    house = opened(evolve(PLAN, most=2), most=3)
    house.give(came("c1.2"), evolve(came("c1.3"), most=1))
    assert house.said == [
        effects.Admit("c1", "c1.2"),
        effects.Dismiss("c1", "c1.3", "full", False, "the conference is full"),
    ]
    house.give(came("c1.4"), came("c1.5"))
    assert [type(one) for one in house.said] == [effects.Admit, effects.Dismiss]


def test_a_moderator_and_others_who_wait_for_each_other_are_let_in_together() -> None:
    house = opened(evolve(PLAN, waiting=True))
    house.give(evolve(came("c2"), waiting=True), evolve(came("c3"), waiting=True))
    assert not house.said
    house.give(came("c1", "15121"))
    assert house.said == [effects.Admit("c1", "c1"), effects.Admit("c1", "c2"), effects.Admit("c1", "c3")]
    first = opened(evolve(PLAN, waiting=True))
    first.give(came("c1", "15121"))
    assert not first.said
    first.give(evolve(came("c2"), waiting=True))
    assert first.said == [effects.Admit("c1", "c2"), effects.Admit("c1", "c1")]


def test_who_has_just_been_let_in_does_not_give_up() -> None:
    house = opened()
    house.give(came("c1.2"), events.MemberWent("c1.2", "nobody"))
    assert house.said == [effects.Admit("c1", "c1.2")]


def test_a_conference_is_held_by_everybody_who_opened_it() -> None:
    house = opened(events.Plan(name="team", holder="c1"))
    house.give(events.Held("c2"), events.Released("c1"), events.Released("c3"))
    assert not house.said
    house.give(events.Released("c2"))
    assert house.said == [effects.Hangup("c1.room", "empty")]


def test_a_conference_that_nobody_holds_ends_when_it_is_empty() -> None:
    house = opened(conference.unheld("team"))
    house.give(came("c1"), events.MemberWent("c1", "left"))
    assert house.said[-1] == effects.Hangup("c1.room", "empty")


def test_whoever_comes_while_it_ends_is_told_before_it_has() -> None:
    house = opened()
    house.give(came("c1.2"))
    house.give(events.Interrupted("hangup"))
    house.give(port.HungUp("c1.room", "server"), came("c1.3"), events.Queued(0, nodes.StopPlay()))
    assert effects.Dismiss("c1", "c1.2", "ended", True, "api") in house.out
    assert effects.Dismiss("c1", "c1.3", "ended", False, "the conference has ended") in house.out
    assert house.run.ended
    assert [task.state for task in house.run.tasks] == ["discarded"]
    # Its journal, read one event at a time, does all of that again.
    again: list[Entry] = []
    happened = [decode_event(entry) for entry in house.entries if entry.kind == "event"]
    (started, *_) = happened
    assert isinstance(started, events.Started)
    run = Run(started, "c1.room", Deaf(), house.run.settings, journal=again.append)
    for event in happened:
        run.handle(event, house.at)
    assert [(one.kind, one.name) for one in again] == [(one.kind, one.name) for one in house.entries]


@pytest.mark.parametrize(
    ("released", "led", "why"),
    [
        ("moderator busy", False, "moderator busy"),
        ("", False, "moderator never joined"),
        ("moderator busy", True, "empty"),
    ],
)
def test_an_end_without_anybody_says_what_became_of_the_moderator(released: str, led: bool, why: str) -> None:
    house = opened()
    assert house.run.conference
    house.run.conference.led = led
    house.give(events.Released("c1", released))
    assert effects.Hangup("c1.room", why) in house.out


def test_somebody_who_is_gone_does_not_speak() -> None:
    house = opened(evolve(PLAN, speaking=True))
    house.give(came("c1.2"), port.Speaking("c1.room", "c1.2", True), port.Speaking("c1.room", "c9", True))
    assert [one for one in house.told if one.startswith("ConfCallSpeaking")] == ["ConfCallSpeaking"]


def test_whom_the_phones_cannot_bring_in_is_told_and_is_in_no_more() -> None:
    house = opened()
    house.give(came("c1.2"), came("c1", "15121"), port.JoinFailed("c1.room", "c1.2", "it has no worker"))
    assert house.said[-1] == effects.Dismiss("c1", "c1.2", "lost", False, "it has no worker")
    house.give(port.JoinFailed("c1.room", "c1.2", "again"), port.JoinFailed("c1.room", "c1", "it has none"))
    assert house.said == [
        effects.Dismiss("c1", "c1", "lost", False, "it has none"),
        effects.Hangup("c1.room", "moderator left"),
    ]


def test_a_journal_rebuilds_a_conference() -> None:
    house = opened(evolve(PLAN, most=5, speaking=True))
    (handler,) = parse_statements('on join as m { play "x" }')
    house.give(events.Queued(0, handler), came("c1", "15121"), came("c1.2"))
    house.give(events.MembersChange("mute", by="c1"))
    rebuilt = rebuild("c1.room", house.entries, house.run.settings)
    assert rebuilt.conference == house.run.conference
    assert view(rebuilt, house.at) == view(house.run, house.at)


JOIN = (
    'call "1512" notify "http://h/call"\njoin "team" as why for 1m notify "http://h/join"\n'
    "play why.reason\nstay\n"
)


def test_a_leg_is_in_the_conference_that_its_name_stood_for() -> None:
    desk = Desk(JOIN)
    desk.give(port.Answered("c1"))
    assert desk.done(effects.JoinConference) == [
        effects.JoinConference("c1", "team", "1512", new_id="c1.team")
    ]
    desk.give(events.Joined("c1", "c7.team", "team"), port.TonePressed("c1", "5"))
    assert desk.done(effects.PassTone) == [effects.PassTone("c1", "c7.team", "5")]
    desk.give(events.Left("c1", "c8.other", "left", name="other"))
    assert desk.run.legs["c1"].membership
    desk.give(events.Left("c1", "c7.team", "kicked", name="team"))
    assert not desk.run.legs["c1"].membership
    assert desk.done(effects.Play)[-1].sound == port.Announcement("kicked")
    assert len(desk.done(effects.CancelTimer)) == len(desk.done(effects.SetTimer)) - 1


def test_a_leg_that_is_lost_says_so_where_it_leaves() -> None:
    desk = Desk(JOIN)
    desk.give(port.Answered("c1"), events.Joined("c1", "c7.team", "team"), port.HungUp("c1", "lost"))
    left = [one.fields for one in desk.done(effects.Notify) if one.fields["action"] == "ConfCallLeft"]
    assert [one["reason"] for one in left] == ["lost"]
    assert desk.done(effects.LeaveConference) == [effects.LeaveConference("c1", "c7.team", "lost")]


def test_a_leg_that_is_lost_is_let_go_of_since_it_may_hear_the_room_still() -> None:
    house = opened()
    house.give(came("c1.2"), came("c1.3"), events.MemberWent("c1.2", "lost"))
    assert effects.Dismiss("c1", "c1.2", "lost") in house.said
    house.give(events.MemberWent("c1.3", "hangup"))
    assert not any(isinstance(one, effects.Dismiss) for one in house.said)


def test_no_more_can_wait_in_a_queue_than_it_holds_and_what_is_refused_is_told() -> None:
    house = opened(queue=2)
    (play,) = parse('call "1"\nplay "x" notify "http://app.example/told"\n').body.statements
    house.give(*[events.Queued(0, play)] * 4)
    assert [task.number for task in house.run.tasks] == [1, 2]
    refused = [entry.data for entry in house.entries if entry.name == "discarded"]
    assert [one["task"] for one in refused] == [3, 4]
    told = [one.fields for one in house.out if isinstance(one, effects.Notify)]
    assert [(one["action"], one["reason"]) for one in told] == [
        ("TaskDiscarded", "2 statements wait in this queue already")
    ] * 2
    house.give(came("c1.2"), port.PlaybackEnded("c1.room", 1, "end"), events.Queued(0, play))
    assert [task.number for task in house.run.tasks] == [1, 2, 5]


def test_a_time_that_passes_after_the_end_of_a_join_does_nothing() -> None:
    desk = Desk(JOIN)
    desk.give(port.Answered("c1"))
    timer = desk.done(effects.SetTimer)[-1].timer
    desk.give(events.Left("c1", "c7.team", "full", name="team"), events.TimerFired(timer))
    assert not desk.done(effects.LeaveConference)


def test_a_call_is_taken_out_at_once_of_the_conference_that_is_meant() -> None:
    desk = Desk(JOIN)
    desk.give(events.Interrupted("leave"), port.Answered("c1"), events.Joined("c1", "c7.team", "team"))
    desk.give(events.Interrupted("leave", conference="c8.team"))
    assert not desk.done(effects.LeaveConference)
    for called in ("", "team", "c7.team"):
        desk.give(events.Interrupted("leave", conference=called))
    assert desk.done(effects.LeaveConference) == [effects.LeaveConference("c1", "c7.team", "left")] * 3


def test_a_name_that_cannot_be_fails_the_script_that_makes_it() -> None:
    desk = Desk('param x = "a.b"\ncall "1512"\nconference room named x\nstay\n')
    desk.give(port.Answered("c1"))
    assert desk.run.fault
    assert "a name has no dot" in desk.run.fault.message


def test_what_comes_of_nothing_is_in_the_journal_and_the_script_goes_on() -> None:
    desk = Desk('call "1512"\nin "c9.room" { play "x" }\nstay\n')
    desk.give(port.Answered("c1"), events.NotReached("c9.room", "there is no conference c9.room"))
    assert not desk.run.ended
    assert desk.entries[-1].name == "NotReached"
