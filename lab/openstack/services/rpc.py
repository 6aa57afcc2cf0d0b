"""An oslo.messaging driver for ``transport_url = lab://127.0.0.1:PORT/``: nova's services talk over the lab's broker.

It does what nova needs: calls with a reply, casts, fanout, one listener a topic and a server. No notifications.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import oslo_messaging
from oslo_messaging._drivers import base, common
from oslo_serialization import jsonutils


class Link:
    """One connection to the broker: publishes, and hands what arrives to the subscriber of its queue."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.replies = f"reply-{uuid.uuid4().hex}"
        self._lock = threading.Lock()
        self._subscribers: dict[str, Callable[[str], None]] = {}
        self._socket = socket.create_connection(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._read, daemon=True).start()

    def subscribe(self, name: str, receive: Callable[[str], None]) -> None:
        """From now on ``receive`` gets each body that is sent to the queue."""
        self._subscribers[name] = receive
        self._send({"op": "subscribe", "queue": name})

    def publish(self, name: str, body: Any, to: str) -> None:
        """Sends a body; ``to`` is one, all or caller, as the broker has it."""
        self._send({"op": "publish", "queue": name, "body": jsonutils.dumps(body), "to": to})

    def close(self) -> None:
        """Ends the connection and with it the reading thread."""
        self._socket.close()

    def _send(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _read(self) -> None:
        with self._socket.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                self._subscribers[message["queue"]](message["body"])


class Incoming(base.RpcIncomingMessage):
    """A request that came in, and the way back to its caller."""

    def __init__(self, link: Link, request: dict[str, Any]) -> None:
        super().__init__(request["context"], request["message"], request.get("call"))
        self._link, self._reply_to, self._call = link, request.get("reply_to"), request.get("call")

    def acknowledge(self) -> None:
        """Nothing to do: the broker forgets what it has delivered."""

    def requeue(self) -> None:
        """Nothing to do: RPC servers do not requeue."""

    def heartbeat(self) -> None:
        """Nothing to do: the caller waits for its own time-out."""

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        """Sends the result, or the exception, to whoever waits for it."""
        if self._reply_to:
            failed = common.serialize_remote_exception(failure) if failure else None
            self._link.publish(self._reply_to, {"call": self._call, "result": reply, "failure": failed}, to="caller")


class Listener(base.PollStyleListener):
    """Hands out what arrives on a set of queues, one message a poll."""

    def __init__(self, link: Link, names: list[str]) -> None:
        super().__init__()
        self._link, self._stopped = link, False
        self._arrived: queue.Queue[str | None] = queue.Queue()  # None wakes who waits
        for name in names:
            link.subscribe(name, self._arrived.put)

    @base.batch_poll_helper
    def poll(self, timeout: float | None = None) -> Incoming | None:
        """The next request; None when ``timeout`` seconds have passed or the listener was stopped."""
        if self._stopped:
            time.sleep(0.05)  # the dispatcher polls on until its own stop is through
            return None
        try:
            body = self._arrived.get(timeout=timeout)
        except queue.Empty:
            return None
        return None if body is None else Incoming(self._link, jsonutils.loads(body))

    def stop(self) -> None:
        """Wakes whoever polls; nothing is handed out any more."""
        self._stopped = True
        self._arrived.put(None)

    def cleanup(self) -> None:
        """Nothing is left: the connection belongs to the driver."""


class LabDriver(base.BaseDriver):
    """The driver that the entry point ``lab`` names."""

    def __init__(self, conf: Any, url: Any, default_exchange: Any = None, allowed_remote_exmods: Any = None) -> None:
        super().__init__(conf, url, default_exchange, allowed_remote_exmods)
        self._address = (url.hosts[0].hostname, url.hosts[0].port)
        self._lock, self._owner = threading.Lock(), 0
        self._waiting: dict[str, queue.Queue[dict[str, Any]]] = {}
        self._calls = itertools.count()

    def require_features(self, requeue: bool = True) -> None:
        """Everything that nova asks for is there."""

    def send(
        self,
        target: Any,
        ctxt: Any,
        message: Any,
        wait_for_reply: Any = None,
        timeout: Any = None,
        **_others: Any,
    ) -> Any:
        """A cast, a fanout or, with ``wait_for_reply``, a call; MessagingTimeout after ``timeout`` seconds."""
        name = self._queue(target)
        if target.server and not target.fanout:
            name += f"@{target.server}"
        to = "all" if target.fanout else "one"
        if wait_for_reply:
            return self._call(name, to, {"context": ctxt, "message": message}, timeout)
        return self._link().publish(name, {"context": ctxt, "message": message}, to)

    def send_notification(self, target: Any, ctxt: Any, message: Any, version: Any, retry: Any = None) -> None:
        """Notifications have no reader in the lab."""

    def listen(self, target: Any, batch_size: int, batch_timeout: float) -> Any:
        """A listener for the topic as a whole and for this server of it."""
        name = self._queue(target)
        # The server's own queue last: the lab takes its subscription as the sign that the service answers.
        listener = Listener(self._link(), [name, f"{name}@{target.server}"])
        return base.PollStyleListenerAdapter(listener, batch_size, batch_timeout)

    def listen_for_notifications(self, *_arguments: Any) -> Any:
        """Not in the lab; nova's services do not ask for it."""
        raise NotImplementedError("the lab's message bus has no notifications")

    def cleanup(self) -> None:
        """Closes the connection, if there is one in this process."""
        if self._owner == os.getpid():
            self._link().close()
            self._owner = 0

    def _queue(self, target: Any) -> str:
        return f"{target.exchange or self._default_exchange}/{target.topic}"

    def _link(self) -> Link:
        """The connection of this process: a fork does not take its parent's reading thread along."""
        with self._lock:
            if self._owner != os.getpid():
                self._connection = Link(self._address)
                self._connection.subscribe(self._connection.replies, self._answered)
                self._owner = os.getpid()
            return self._connection

    def _call(self, name: str, to: str, request: dict[str, Any], timeout: float | None) -> Any:
        link, call = self._link(), str(next(self._calls))
        answers = self._waiting[call] = queue.Queue()
        try:
            link.publish(name, {**request, "call": call, "reply_to": link.replies}, to)
            answer = answers.get(timeout=timeout)
        except queue.Empty:
            raise oslo_messaging.MessagingTimeout(f"{name} did not answer within {timeout} s") from None
        finally:
            del self._waiting[call]
        if answer["failure"]:
            raise common.deserialize_remote_exception(answer["failure"], self._allowed_remote_exmods)
        return answer["result"]

    def _answered(self, body: str) -> None:
        answer = jsonutils.loads(body)
        waiting = self._waiting.get(answer["call"])  # None: the caller's time was up before
        if waiting:
            waiting.put(answer)
