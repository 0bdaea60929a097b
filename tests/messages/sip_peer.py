"""A far end for text messages, on pjsua2 as it comes: nothing of it is ours.

It tells a JSON object a line: ``ready`` with its address, ``got`` for each text that comes in, ``sent`` with
the status for each that it sends.  A line of its standard input is a JSON object: ``uri``, ``text``.
"""

import json
import os
import sys
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pjsua2 as pj


def say(event: str, **more: Any) -> None:
    # Odd bytes come as surrogates, which JSON takes.
    print(json.dumps({"event": event, **more}), flush=True)


class Account(pj.Account):  # type: ignore[misc]
    def onInstantMessage(self, prm: Any) -> None:
        say("got", sender=prm.fromUri, to=prm.toUri, kind=prm.contentType, text=prm.msgBody)

    def onInstantMessageStatus(self, prm: Any) -> None:
        say("sent", status=int(prm.code), reason=prm.reason, text=prm.msgBody)


def main() -> None:
    endpoint, settings = pj.Endpoint(), pj.EpConfig()
    endpoint.libCreate()
    settings.uaConfig.threadCnt, settings.uaConfig.mainThreadOnly = 0, True
    settings.logConfig.level = settings.logConfig.consoleLevel = 0
    endpoint.libInit(settings)
    transport = pj.TransportConfig()
    transport.boundAddress, transport.port = "127.0.0.1", int(sys.argv[1])
    made = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    address = endpoint.transportGetInfo(made).localName
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, transport)
    endpoint.audDevManager().setNullDev()
    endpoint.libStart()
    account, entry = Account(), pj.AccountConfig()
    entry.idUri = f"sip:+15125551234@{address}"
    account.create(entry, True)
    orders: Queue[str] = Queue()
    Thread(target=lambda: [orders.put(line) for line in sys.stdin], daemon=True).start()
    say("ready", address=address)
    while True:
        endpoint.libHandleEvents(10)
        try:
            order = json.loads(orders.get_nowait())
        except Empty:
            continue
        buddy, whom, what = pj.Buddy(), pj.BuddyConfig(), pj.SendInstantMessageParam()
        whom.uri, whom.subscribe = order["uri"], False
        what.contentType, what.content = "text/plain;charset=UTF-8", order["text"]
        buddy.create(account, whom)
        buddy.sendInstantMessage(what)


try:
    main()
finally:
    os._exit(1)
