"""The server seen from outside: its parts joined with its metrics, its log of calls and its probes."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import metadata
from typing import Literal

import trio
from attrs import frozen

from ringful.command.configuration.config import Config
from ringful.command.serving.front import why_deaf
from ringful.command.serving.trunks import known_as
from ringful.ground import log as ground_log
from ringful.ground.disk import why_short
from ringful.ground.metrics import Metrics
from ringful.http.outward.callbacks import Deliverer
from ringful.http.probes import Check, Probes, Readiness
from ringful.interpreter.calls.log import CallsLog
from ringful.interpreter.calls.metrics import CallsMetrics
from ringful.interpreter.calls.node import Switchboard
from ringful.interpreter.calls.queues import standing
from ringful.interpreter.calls.trunk_failures import Trunk
from ringful.interpreter.messages.office import Office
from ringful.media.front.front import Front
from ringful.media.pool import Pool
from ringful.media.trunking.standing import Standing
from ringful.media.trunking.watch import TrunkWatch
from ringful.store.sql import SqlStore


@frozen
class Parts:
    """What there is to see."""

    store: SqlStore
    pool: Pool
    switchboard: Switchboard
    deliverer: Deliverer
    office: Office
    trunks: TrunkWatch
    front: Front | None = None


def see(config: Config, parts: Parts) -> Probes:
    """Have *parts* watched, and give what the probes need."""
    metrics = Metrics()
    _read_server(metrics, parts)
    _read_calls(metrics, parts)
    _read_queues(metrics, parts.switchboard, config.http.metrics_queues)
    _read_callbacks(metrics, parts)
    _read_messages(metrics, parts.office)
    _read_trunks(metrics, parts)
    if parts.front:
        _read_front(metrics, parts.front)
    store, switchboard = parts.store, parts.switchboard

    def committed(writes: int, seconds: float) -> None:
        metrics.commit_writes.observe(writes)
        metrics.commit_seconds.observe(seconds)

    store.writer.on_commit = committed
    find = switchboard.live.get

    def trunk(leg: str) -> Trunk:
        way = parts.pool.ways.went_by.get(leg)
        return known_as(way, tables=bool(config.sip.trunks)) if way else Trunk("")

    switchboard.house.watchers.extend((CallsLog(find, trunk).watch, CallsMetrics(find, metrics).watch))
    readiness = Readiness(
        _checks(config, parts),
        lambda: {
            "engine": parts.pool.crew.engine,
            "packets": parts.pool.crew.packets,
            "messages": _messages(parts.office),
            "front": parts.front.words if parts.front else "none",
            "trunk states": parts.trunks.words(),
        },
    )
    return Probes(metrics, readiness, config.http.metrics_allow, lambda: list(_told_of_trunks(parts)))


def _checks(config: Config, parts: Parts) -> Mapping[str, Check]:
    places = [config.store.recordings, config.media.cache]
    if parts.store.file:
        places.insert(0, parts.store.file.parent)

    async def room() -> str:
        # A disk that hangs, as one behind a network may, holds a thread and nothing else.
        return await trio.to_thread.run_sync(why_short, places, config.store.min_free, abandon_on_cancel=True)

    async def trunks() -> str:
        return parts.trunks.why_useless()

    async def draining() -> str:
        return "no new calls are taken: the server is ending" if parts.switchboard.draining else ""

    return {
        "store": parts.store.why_unwritable,
        "sip": partial(why_deaf, parts.front) if parts.front else parts.pool.why_deaf,
        "worker": parts.pool.crew.why_mute,
        "disk": room,
        "trunks": trunks,
        "draining": draining,
    }


def _read_front(metrics: Metrics, front: Front) -> None:
    metrics.read("ringful_front_up", "gauge", "1 while the SIP front runs.", lambda: not front.why_down)
    metrics.read(
        "ringful_front_restarts",
        "counter",
        "How often the SIP front was started again.",
        lambda: front.restarts,
    )
    metrics.read(
        "ringful_front_asked",
        "counter",
        "Calls and texts for which it asked for a place.",
        lambda: front.desk.asked,
    )
    metrics.read(
        "ringful_front_refused", "counter", "Those for which there was none.", lambda: front.desk.refused
    )
    metrics.read(
        "ringful_front_events",
        "counter",
        "What it did not let through, or could not, by the reason.",
        lambda: front.counts,
        label="reason",
    )


def _read_server(metrics: Metrics, parts: Parts) -> None:
    pool, writer = parts.pool, parts.store.writer
    version = metadata.version("ringful")
    metrics.read("ringful_info", "gauge", "The version that runs.", lambda: {version: 1}, label="version")
    metrics.read(
        "ringful_draining",
        "gauge",
        "1 while no new calls are taken, since the server is ending.",
        lambda: parts.switchboard.draining,
    )
    metrics.read(
        "ringful_workers",
        "gauge",
        "Media workers that run, by what makes their sound.",
        lambda: {"c": 0, "python": 0} | Counter(worker.engine for worker in pool.workers),
        label="engine",
    )
    metrics.read(
        "ringful_workers_started", "counter", "Media workers that were started.", lambda: pool.crew.started
    )
    metrics.read(
        "ringful_workers_died",
        "counter",
        "Media workers that ended without having been let go.",
        lambda: pool.crew.died,
    )
    metrics.read(
        "ringful_store_writes_waiting",
        "gauge",
        "Writes that wait for the store's next commit.",
        lambda: writer.waiting,
    )
    metrics.read(
        "ringful_faults",
        "counter",
        "Faults of ringful itself: each is in the log.",
        lambda: ground_log.written["fault"],
    )
    metrics.read(
        "ringful_log_lines",
        "counter",
        "Lines of the log.",
        lambda: {level: ground_log.written[level] for level in ("info", "warning", "error")},
        label="level",
    )


def _read_calls(metrics: Metrics, parts: Parts) -> None:
    live = parts.switchboard.live

    def by_state() -> dict[str, float]:
        found = Counter(
            ("up" if call.run.subject.state == "up" else "ringing") if call.run.subject else "running"
            for call in live.values()
            if not call.is_conference
        )
        return {state: found[state] for state in ("ringing", "up", "running")}

    def legs() -> dict[str, float]:
        up = sum(leg.answered for leg in parts.pool.legs.values())
        return {"ringing": len(parts.pool.legs) - up, "up": up}

    def waiting() -> int:
        return sum(len(call.run.waiting) for call in live.values())

    metrics.read(
        "ringful_calls",
        "gauge",
        "Live calls, and runs without a call of their own (running).",
        by_state,
        label="state",
    )
    metrics.read(
        "ringful_conferences",
        "gauge",
        "Conferences that have not ended.",
        lambda: sum(call.is_conference for call in live.values()),
    )
    metrics.read("ringful_legs", "gauge", "Legs in the media workers.", legs, label="state")
    metrics.read(
        "ringful_statements_waiting", "gauge", "Statements that wait in the queues of live calls.", waiting
    )
    metrics.read(
        "ringful_events_waiting",
        "gauge",
        "Events in the inboxes of live calls that have not been handled.",
        lambda: sum(call.run.unhandled for call in live.values()),
    )


def _read_queues(metrics: Metrics, switchboard: Switchboard, named: tuple[str, ...]) -> None:
    def stand(which: int) -> Mapping[str, float]:
        return standing(switchboard.hall.queues.values(), named, switchboard.house.clock())[which]

    metrics.read(
        "ringful_queue_length",
        "gauge",
        "Callers who wait in the queues of all keys, by the names of http.metrics_queues, or other.",
        lambda: stand(0),
        label="queue",
    )
    metrics.read(
        "ringful_queue_longest_wait_seconds",
        "gauge",
        "How long the one has waited who has waited longest, by the same names.",
        lambda: stand(1),
        label="queue",
    )


def _read_callbacks(metrics: Metrics, parts: Parts) -> None:
    deliverer = parts.deliverer
    metrics.read(
        "ringful_callbacks_waiting",
        "gauge",
        "Callbacks that are to be delivered, those between two attempts among them.",
        lambda: deliverer.waiting,
    )
    metrics.read(
        "ringful_callbacks_parked",
        "gauge",
        "Callbacks that were given up since the server started.",
        lambda: deliverer.parked,
    )
    metrics.read(
        "ringful_callbacks_delivered",
        "counter",
        "Callbacks that were delivered.",
        lambda: deliverer.delivered,
    )
    metrics.read(
        "ringful_callbacks_failed_attempts",
        "counter",
        "Attempts to deliver a callback that failed.",
        lambda: deliverer.failed_attempts,
    )
    metrics.read(
        "ringful_callbacks_lag_seconds",
        "gauge",
        "How long the oldest waiting callback has waited.",
        lambda: deliverer.lag,
    )


def _messages(office: Office) -> str:
    """Say how the connections stand that messages go by: what is not up delays messages, and no call."""
    if not office.transports:
        return "none are sent here"
    down = [f"{name}: {why}" for name, why in sorted(office.connections.items()) if why]
    return "; ".join(down) or ("ok" if office.connections else "not connected yet")


def _read_messages(metrics: Metrics, office: Office) -> None:
    counts = office.counts

    def standing() -> dict[str, float]:
        up = sum(not why for why in office.connections.values())
        return {"up": up, "down": len(office.connections) - up}

    metrics.read(
        "ringful_messages",
        "counter",
        "Messages that came to stand so since the start: sent, delivered, failed, received.",
        lambda: {**counts.ended, "received": counts.received},
        label="state",
    )
    metrics.read(
        "ringful_messages_waiting",
        "gauge",
        "Messages that wait to be sent, by what carries them.",
        lambda: (
            dict.fromkeys(("smpp", "sip", "mail"), 0)
            | {carrier: len(outbox) for carrier, outbox in office.outboxes.items()}
        ),
        label="carrier",
    )
    metrics.read(
        "ringful_messages_perhaps_twice",
        "counter",
        "Messages that were sent again although they may have arrived.",
        lambda: counts.perhaps_twice,
    )
    metrics.read(
        "ringful_messages_unknown_receipts",
        "counter",
        "Delivery receipts that were for no message of ours.",
        lambda: counts.unknown_receipts,
    )
    metrics.read(
        "ringful_messages_connections",
        "gauge",
        "Connections that messages go by, up and down.",
        standing,
        label="state",
    )


def _legs_by(trunk: str, pool: Pool) -> int:
    return sum(leg.trunk is not None and leg.trunk.name == trunk for leg in pool.legs.values())


def _told_of_trunks(parts: Parts) -> Iterator[dict[str, object]]:
    """Tell how each trunk stands, for `ringful trunks list`."""
    for name, one in parts.trunks.standings.items():
        yield {
            "name": name,
            "address": f"{one.trunk.host}:{one.trunk.at_port}",
            "transport": one.trunk.transport,
            "registered": one.registered if one.trunk.register else None,
            "expires": round(one.expires),
            "alive": one.alive,
            "rtt": one.rtt,
            "legs": _legs_by(name, parts.pool),
            "failures": parts.pool.ways.failures[name],
            "last": parts.pool.ways.last_failures.get(name, ""),
            "words": one.words,
        }


def _read_trunks(metrics: Metrics, parts: Parts) -> None:
    def each(what: Callable[[Standing], float | None]) -> Callable[[], dict[str, float]]:
        def reading() -> dict[str, float]:
            found = {name: what(one) for name, one in parts.trunks.standings.items()}
            return {name: value for name, value in found.items() if value is not None}

        return reading

    def live(one: Standing) -> float:
        return _legs_by(one.trunk.name, parts.pool)

    def registered(one: Standing) -> float | None:
        return one.registered if one.trunk.register else None

    def failures(one: Standing) -> float | None:
        return one.registration.failures if one.registration else None

    readings: list[tuple[str, Literal["gauge", "counter"], str, Callable[[Standing], float | None]]] = [
        ("alive", "gauge", "1 while the trunk answers OPTIONS as one that lives.", lambda one: one.alive),
        ("rtt_seconds", "gauge", "Seconds that its last answer to OPTIONS took.", lambda one: one.rtt),
        ("options_missed", "counter", "OPTIONS that it did not answer so.", lambda one: one.missed),
        ("registered", "gauge", "1 while it has us registered.", registered),
        ("registration_seconds", "gauge", "Seconds that our registration holds.", lambda one: one.expires),
        ("registration_failures", "counter", "Attempts to register that failed.", failures),
        ("legs", "gauge", "Live legs by this trunk.", live),
        (
            "refused",
            "counter",
            "Calls that it did not take for a reason of its own.",
            lambda one: parts.pool.ways.failures[one.trunk.name],
        ),
    ]
    for name, kind, about, what in readings:
        metrics.read(f"ringful_trunk_{name}", kind, about, each(what), label="trunk")
