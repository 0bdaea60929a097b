"""What is done at once instead of being queued.  Pure."""

from ringful.http.reading import requests
from ringful.http.reading.compile import compile_steering
from ringful.interpreter.calls.switchboard import Operation


def immediate(task: requests.Task) -> Operation | None:
    """Give the operation that *task* does at once, or None where it queues."""
    match task:
        case requests.Hangup(immediate=True):
            return "hangup"
        case requests.StopPlay(immediate=True):
            return "stop play"
        case requests.PausePlay() | requests.ResumePlay() | requests.SkipPlay() | requests.SpeedPlay():
            return compile_steering(task) if task.immediate else None
        case requests.Mute(_, muted, immediate=True):
            return "mute" if muted else "unmute"
        case requests.RecordStop(immediate=True):
            return "stop record"
        case requests.StopToneDetector(immediate=True):
            return "stop tones"
        case _:
            return None
