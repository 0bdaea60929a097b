"""Which function says what a statement means: the one place where a node finds its meaning.

A meaning takes the scope and the node.  It is a coroutine function where it may wait; it raises
`Failed` where the statement could not do its work, and `Fault` where the script is wrong.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from ringful.grammar import nodes
from ringful.interpreter.running import Scope
from ringful.interpreter.statements import (
    bridge,
    chance,
    conference,
    control,
    handlers,
    inbound,
    keys,
    legs,
    messages,
    queues,
    seeking,
    signals,
    sound,
    web,
)
from ringful.interpreter.strand import Signal, Wait

Meaning: TypeAlias = Callable[[Scope, Any], Coroutine[Wait, Signal, None] | None]

MEANINGS: Mapping[type[nodes.Statement], Meaning] = {
    nodes.Again: keys.go_back,
    nodes.Back: keys.go_back,
    nodes.Answer: inbound.answered,
    nodes.Ask: web.ask,
    nodes.Break: control.leave_loop,
    nodes.Call: legs.call,
    nodes.Members: conference.change,
    nodes.Coach: conference.coach,
    nodes.OnMember: conference.on_member,
    nodes.Clock: chance.look_at_clock,
    nodes.Pick: chance.pick,
    nodes.Conference: conference.create,
    nodes.Connect: bridge.connect,
    nodes.ConnectTo: legs.connect_to,
    nodes.Do: control.do,
    nodes.End: conference.end,
    nodes.Flow: control.nothing,
    nodes.Follow: web.follow,
    nodes.For: control.loop,
    nodes.Gather: keys.gather,
    nodes.Give: legs.give,
    nodes.Hangup: legs.hang_up,
    nodes.If: control.choose,
    nodes.In: conference.queue,
    nodes.Join: conference.join,
    nodes.Leave: conference.leave,
    nodes.Let: control.let,
    nodes.Menu: keys.menu,
    nodes.Mute: bridge.mute,
    nodes.Notify: web.notify,
    nodes.OnEvent: signals.on_event,
    nodes.OnHangup: legs.on_hangup,
    nodes.OnTone: handlers.on_tone,
    nodes.Play: sound.play,
    nodes.Queue: queues.wait_in,
    nodes.Record: sound.record,
    nodes.Reject: inbound.reject,
    nodes.Repeat: control.loop,
    nodes.Return: control.leave_flow,
    nodes.Say: sound.play,
    nodes.Serve: queues.serve,
    nodes.Signal: signals.send,
    nodes.Sms: messages.send,
    nodes.Start: legs.start,
    nodes.StartRecord: sound.start_record,
    nodes.StartTones: keys.detect,
    nodes.Stay: legs.stay,
    nodes.StopPlay: sound.stop_play,
    nodes.PausePlay: seeking.steer_here,
    nodes.ResumePlay: seeking.steer_here,
    nodes.Skip: seeking.steer_here,
    nodes.Speed: seeking.steer_here,
    nodes.StopRecord: sound.stop_record,
    nodes.StopTones: keys.detect,
    nodes.Tone: sound.tone,
    nodes.Transfer: bridge.transfer,
    nodes.Unmute: bridge.mute,
    nodes.Until: handlers.until,
    nodes.UntilEvent: handlers.until_event,
    nodes.Wait: control.wait,
    nodes.WaitCall: legs.wait_call,
    nodes.WaitEvent: signals.wait_event,
    nodes.WaitTone: keys.wait_tone,
}
