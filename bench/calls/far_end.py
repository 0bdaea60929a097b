"""The far end of a whole server: the phones of `bench.media.far_end`, which hang up by themselves.

``python -m ringful.bench.calls.far_end PHONES`` prints its SIP port and works until its standard input
ends; then it prints its `Story` as JSON.
"""

import gc
import json
import os
import resource
import sys
import time

from attrs import define

from ringful.bench.calls.parts import (
    BEEP_SECONDS,
    BRIEF_SECONDS,
    MOST_SECONDS,
    PROBE_SECONDS,
    SPEAKING_SECONDS,
    Part,
    Seen,
    Story,
    part_of,
)
from ringful.bench.media import sip
from ringful.bench.media.far_end import Dialog, FarEnd
from ringful.bench.media.heard import Heard

_SECOND = 1_000_000_000
_T1 = _SECOND // 2
_TRIES = 7
"""Until 32 s have passed, about: RFC 3261, 17.1.2.2."""
_AFTER = {Part.BRIEF: BRIEF_SECONDS, Part.PROBE: PROBE_SECONDS}


@define(eq=False)
class Call:
    """A call of ours: its INVITE, and what we know of it."""

    request: sip.Request
    part: Part
    invited: int
    answered: int
    dialog: Dialog


@define(eq=False)
class Bye:
    """A BYE that was sent and is not answered yet."""

    data: bytes
    to: tuple[str, int]
    due: int
    tries: int = 1


class Callees(FarEnd):
    """Phones that do the parts which their numbers say."""

    def __init__(self, phones: int) -> None:
        super().__init__(phones)
        self._calls: dict[str, Call] = {}
        self._byes: dict[str, Bye] = {}
        self._seen: dict[str, Seen] = {}

    def _answers(self, request: sip.Request, sender: tuple[str, int]) -> list[bytes]:
        name, came = request.header("call-id"), time.time_ns()
        ends = request.method == "BYE" and name in self._dialogs
        if ends:
            self._over(name, came)
        answers = super()._answers(request, sender)
        if request.method == "INVITE" and name in self._dialogs and name not in self._calls:
            part, dialog = part_of(request.user), self._dialogs[name]
            self._calls[name] = Call(request, part, came, time.time_ns(), dialog)
        return answers

    def _act(self) -> None:
        now = time.time_ns()
        for name, call in list(self._calls.items()):
            if call.dialog.confirmed and self._is_over(call, now):
                self._hang_up(name, call, now)
        for name, bye in list(self._byes.items()):
            if now < bye.due:
                continue
            if bye.tries == _TRIES:
                del self._byes[name]
                continue
            bye.due = now + min(4 * _SECOND, _T1 << bye.tries)
            bye.tries += 1
            self._tell(bye.data, bye.to)

    def _is_over(self, call: Call, now: int) -> bool:
        up = (now - call.answered) / _SECOND
        if call.part in _AFTER:
            return up >= _AFTER[call.part]
        peer = call.dialog.line.peer
        if call.part is Part.HELD or peer is None:
            return False
        spoken = (now - peer.heard.next_ns) / _SECOND if peer.heard.next_ns else 0.0
        return spoken >= BEEP_SECONDS + SPEAKING_SECONDS or up >= MOST_SECONDS

    def _hang_up(self, name: str, call: Call, now: int) -> None:
        dialog = self._dialogs.pop(name)
        data = sip.bye(call.request, dialog.tag, self._contact, os.urandom(8).hex())
        self._byes[name] = Bye(data, dialog.to, now + _T1)
        self._tell(data, dialog.to)
        self._over(name, time.time_ns())
        self._end(dialog.line, over=True)

    def _told(self, data: bytes) -> None:
        self._byes.pop(sip.answered(data), None)

    def _over(self, name: str, ended: int) -> None:
        """Note what became of a call, before its line is another's."""
        call = self._calls.pop(name)
        number, peer = call.request.user.removeprefix("+"), call.dialog.line.peer
        heard = peer.heard if peer else Heard(number)
        self._seen[number] = Seen(number, call.invited, call.answered, ended, heard)

    def story(self) -> Story:
        """Tell of all calls, those that are not over too."""
        for name in list(self._calls):
            self._over(name, 0)
        _, late = self.close()
        return Story(self._seen, late)


def main() -> None:
    """Be the far end of whoever started us."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # A socket for each phone.
    far = Callees(int(sys.argv[1]))
    print(far.port, flush=True)
    gc.freeze()
    gc.disable()
    far.run()
    try:
        print(json.dumps(far.story().as_json()), flush=True)
    except BrokenPipeError:
        os._exit(1)  # Who started us has gone: nobody listens.


if __name__ == "__main__":
    main()
