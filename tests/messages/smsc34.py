"""An SMSC of PyPI's smpp34 in its own process, told what to do as npm's is; see smscs.py."""

import asyncio
import json
import sys
from typing import Any

import smpp34


def tell(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


class Smsc:
    """The server, and what it was told."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.rule: dict[str, Any] = {"how": "ok"}
        self.ids = 0
        self.open = 0
        self.sessions: dict[str, Any] = {}
        self.tasks: set[Any] = set()

    async def serve(self) -> None:
        self.server = smpp34.Server("127.0.0.1", self.port, system_id="smpp34")
        await self.server.start()
        tell("listening", port=self.port)
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.sessions[event.session_id] = event
                tell("bound", session=event.session_id, system_id=event.system_id)
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.start(self.submitted(event))
            else:
                self.sessions.pop(event.session_id, None)
                tell("unbound", session=event.session_id, open=self.open)

    def start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def submitted(self, event: Any) -> None:
        self.open += 1
        tell(
            "submit",
            session=event.session_id,
            open=self.open,
            source=[event.source_addr_ton, event.source_addr_npi, event.source_addr],
            destination=[event.dest_addr_ton, event.dest_addr_npi, event.destination_addr],
            hex=bytes(event.short_message).hex(),
            data_coding=event.data_coding,
            esm_class=event.esm_class,
            registered=event.registered_delivery,
        )
        if self.rule["how"] == "late":
            await asyncio.sleep(self.rule["after"] / 1000)
        self.open -= 1
        self.ids += 1
        if self.rule["how"] == "refuse":
            event.reject(self.rule["status"])
        elif self.rule["how"] == "some" and (
            status := self.rule["statuses"][self.ids % len(self.rule["statuses"])]
        ):
            event.reject(status)
        else:
            ids = self.rule.get("ids") or [f"m{self.ids}"]
            event.accept(ids[(self.ids - 1) % len(ids)])

    async def deliver(self, order: dict[str, Any]) -> None:
        fields = dict(order["fields"])
        source, destination = fields.pop("source_addr"), fields.pop("destination_addr")
        tlvs = [
            smpp34.Tlv(getattr(smpp34, f"TLV_{name.upper()}"), value)
            for name, value in (
                ("receipted_message_id", _c_string(fields.pop("receipted_message_id", None))),
                ("message_state", _octets(fields.pop("message_state", None), 1)),
                ("sar_msg_ref_num", _octets(fields.pop("sar_msg_ref_num", None), 2)),
                ("sar_total_segments", _octets(fields.pop("sar_total_segments", None), 1)),
                ("sar_segment_seqnum", _octets(fields.pop("sar_segment_seqnum", None), 1)),
                ("message_payload", bytes.fromhex(order["payload"]) if "payload" in order else None),
            )
            if value is not None
        ]
        esme = next(iter(self.sessions.values()))
        text = bytes.fromhex(order.get("hex", ""))
        answer = await esme.deliver_sm(destination, text, source_addr=source, tlvs=tlvs, **fields)
        tell("acknowledged", status=answer.command_status)


def _octets(value: int | None, length: int) -> bytes | None:
    return None if value is None else value.to_bytes(length, "big")


def _c_string(value: str | None) -> bytes | None:
    return None if value is None else value.encode() + b"\0"


async def main(port: int) -> None:
    smsc = Smsc(port)
    smsc.start(smsc.serve())
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        if order["do"] == "answer":
            smsc.rule = order
        elif order["do"] == "deliver":
            smsc.start(smsc.deliver(order))
        else:
            raise AssertionError(f"smpp34 cannot do {order['do']}")
        tell("done")


asyncio.run(main(int(sys.argv[1])))
