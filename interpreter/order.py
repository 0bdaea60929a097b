"""Tell the phones what an effect asks of them: the same words for real ones and for simulated ones.

What a door must decide itself is not here: whether a number may be rung, and where a call is sent.
"""

from pathlib import Path
from typing import assert_never

from ringful.interpreter import effects
from ringful.media import port


def order(phones: port.Phones, effect: effects.ForPhones, recordings: Path) -> None:
    """Do *effect*; recordings go into the folder *recordings*."""
    match effect:
        # The most frequent ones first: the arms are tried in their order.
        case effects.Play(leg, playback, sound, background, offset):
            phones.play(leg, playback, sound, background=background, offset=offset)
        case effects.Prepare(sound):
            phones.prepare(sound)
        case effects.Cue(leg, playback, sound):
            phones.cue(leg, playback, sound)
        case effects.StopPlayback(leg, playback):
            phones.stop_playback(leg, playback)
        case effects.StartRecording(leg, recording, file, silence, beep, within):
            phones.record(leg, recording, recordings / file, silence=silence, beep=beep, within=within)
        case effects.StopRecording(leg, recording):
            phones.stop_recording(leg, recording)
        case effects.SendTones(leg, sending, tones):
            phones.send_tones(leg, sending, tones)
        case _:
            _order_call(phones, effect)


def _order_call(phones: port.Phones, effect: effects.ForCalls) -> None:
    match effect:
        case effects.Answer(leg):
            phones.answer(leg)
        case effects.Progress(leg):
            phones.progress(leg)
        case effects.Reject(leg, status):
            phones.reject(leg, status)
        case effects.Hangup(leg):
            phones.hang_up(leg)
        case effects.Connect(leg, other, connection):
            phones.connect(leg, other, connection)
        case effects.Disconnect(leg, connection):
            phones.disconnect(leg, connection)
        case effects.Mute(leg):
            phones.mute(leg)
        case effects.Unmute(leg):
            phones.unmute(leg)
        case _:
            assert_never(effect)
