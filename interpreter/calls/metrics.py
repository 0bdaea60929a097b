"""Calls as the metrics count them: made of the journal's lines as they are written."""

from collections.abc import Callable

from attrs import frozen

from ringful.ground.faults import fault
from ringful.ground.metrics import Metrics
from ringful.interpreter.calls.log import Known
from ringful.interpreter.calls.trunk_failures import kind_of
from ringful.interpreter.room import end_of
from ringful.media import port
from ringful.store.port import Entry


@frozen
class CallsMetrics:
    """Counts what journal entries tell; *find* gives the call that an entry is of."""

    find: Callable[[str], Known | None]
    metrics: Metrics

    def watch(self, entry: Entry) -> None:
        """Count *entry*; a fault here is no fault of the call."""
        try:
            if entry.name in _COUNTED and (known := self.find(entry.call_id)):
                self._count(known, entry)
        except Exception as error:
            fault("counting a call", error, call=entry.call_id)

    def _count(self, known: Known, entry: Entry) -> None:
        metrics, data, run = self.metrics, entry.data, known.run
        leg = run.legs.get(str(data.get("leg")))
        match entry.name:
            case "Ringing" | "Answered" if data["leg"] == entry.call_id and leg and not leg.room:
                took = entry.at - known.record.created
                metrics.setup_seconds.labels(entry.name.lower()).observe(max(0.0, took))
            case "PlaybackFailed":
                metrics.sounds_failed.labels("play").inc()
            case "RecordingFailed" if data["detail"] != port.NOT_BEGUN:
                metrics.sounds_failed.labels("record").inc()
            case "Refused" if leg and not leg.inbound and not leg.room:
                rang = leg.ringing_at is not None
                if kind := kind_of(data["reason"], data["sip_status"], rang=rang):
                    metrics.trunk_failures.labels(kind).inc()
            case "HungUp" if quality := data.get("quality"):
                metrics.rtp_received.inc(quality["packets"])
                metrics.rtp_lost.inc(quality["lost"])
                metrics.rtp_jitter.observe(quality["jitter_ms"] / 1000)
            case "Joined":
                metrics.members_joined.inc()
            case "Ended" if run.subject and run.subject.room:
                metrics.conferences_ended.labels(_ending(end_of(run.subject))).inc()
            case "Ended":
                subject = run.subject
                direction = "inbound" if run.started.offer else "outbound" if subject else "none"
                lost = subject is not None and subject.ended_by == "lost"
                metrics.calls_ended.labels(direction, "lost" if lost else run.outcome).inc()


def _ending(reason: str) -> str:
    """Give what the end of a conference is counted as: one of a few words."""
    known = ("moderator left", "empty", "api", "lost", "nobody came", "shutdown", "capacity", "key revoked")
    if reason in known:
        return reason
    return "no moderator" if reason.startswith("moderator ") else "other"


_COUNTED = frozenset(
    {"Ringing", "Answered", "PlaybackFailed", "RecordingFailed", "Refused", "HungUp", "Joined", "Ended"}
)
"""Entries of any other name count for nothing."""
