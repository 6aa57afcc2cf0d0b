"""The lab's message bus: a broker that speaks lines of JSON over TCP on loopback.

A client sends ``{"op": "subscribe", "queue": Q}`` or ``{"op": "publish", "queue": Q, "body": B, "to": ...}``
and receives ``{"queue": Q, "body": B}``. ``to`` is ``one`` (the next subscriber, kept until there is one),
``all`` (each subscriber of ``Q@...``) or ``caller`` (dropped where the caller has gone).
Each subscription is one line on stdout: that is how the lab knows that a service answers.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict, deque
from typing import Any

LINE_LIMIT = 2**26  # bytes; a message is one line, and nova's can be large


class Broker:
    """Queues by name and, for each, the connections that listen to it in turn."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[bytes]] = defaultdict(deque)
        self._listeners: dict[str, deque[asyncio.StreamWriter]] = defaultdict(deque)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its connection to its end."""
        try:
            while line := await reader.readline():
                message = json.loads(line)
                if message["op"] == "subscribe":
                    self._subscribe(message["queue"], writer)
                else:
                    self._publish(message)
                await writer.drain()
        except ConnectionError:
            pass  # a client that is killed is part of the lab's work
        finally:
            self._forget(writer)
            writer.close()

    def _subscribe(self, queue: str, writer: asyncio.StreamWriter) -> None:
        self._listeners[queue].append(writer)
        while self._waiting[queue]:
            writer.write(self._waiting[queue].popleft())
        print(f"subscribed {queue}", flush=True)

    def _publish(self, message: dict[str, Any]) -> None:
        queue, to = message["queue"], message["to"]
        queues = [queue]
        if to == "all":
            queues = [name for name in self._listeners if name.startswith(queue + "@")]
        for name in queues:
            line = json.dumps({"queue": name, "body": message["body"]}).encode() + b"\n"
            if not self._deliver(name, line) and to == "one":
                self._waiting[name].append(line)

    def _deliver(self, queue: str, line: bytes) -> bool:
        listeners = self._listeners[queue]
        while listeners:
            writer = listeners[0]
            listeners.rotate(-1)
            if not writer.is_closing():
                writer.write(line)
                return True
            listeners.remove(writer)
        return False

    def _forget(self, writer: asyncio.StreamWriter) -> None:
        for listeners in self._listeners.values():
            while writer in listeners:
                listeners.remove(writer)


async def main(port: int) -> None:
    """Serves on loopback until the process is ended."""
    server = await asyncio.start_server(Broker().serve, "127.0.0.1", port, limit=LINE_LIMIT)
    print(f"listening on 127.0.0.1:{port}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
