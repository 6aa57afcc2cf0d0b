"""Runs Python actions, each in a fork of this process, with the pack's Python (3.8 and later); see nursery.py.

A request comes as JSON on stdin, the outcome goes as JSON to a file descriptor; stdout and stderr are the action's.
How the class is found, made and run follows StackStorm's python_action_wrapper.py and util/loader.py.
"""

from __future__ import annotations

import array
import contextlib
import importlib
import importlib.util
import inspect
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import traceback
from typing import Any, Dict, List, NoReturn, Tuple, Type

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INVALID_STATUS_EXIT_CODE = 220  # st2common/constants/runners.py
# What each action of the pack imports from elsewhere, and takes long.
SLOW_IMPORTS = ("openstack", "jsonschema", "tenacity", "yaml")
DESCRIPTORS = 5  # a child's stdin, stdout, stderr, outcome and status
LONGEST_MESSAGE = 1 << 20
STATUS = struct.Struct("i")


def serve(channel: socket.socket) -> None:
    """Fork a child for each message (its environment, with its descriptors), until the other side is gone."""
    _import_first()
    ended, tell_ended = os.pipe()
    os.set_blocking(tell_ended, False)
    signal.set_wakeup_fd(tell_ended)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    status_fds: Dict[int, int] = {}
    while True:
        ready = select.select([channel, ended], [], [])[0]
        if ended in ready:
            os.read(ended, 4096)
            _tell_ends(status_fds)
        if channel in ready:
            message, fds = _receive(channel)
            if not message:
                return
            pid = os.fork()
            if pid == 0:
                for one in (ended, tell_ended, channel.detach(), *status_fds.values()):
                    os.close(one)
                _be_child(json.loads(message), fds)
            status_fds[pid] = fds.pop()
            try:
                os.write(status_fds[pid], STATUS.pack(pid))
            except BrokenPipeError:  # whoever asked for it is gone, others may ask for more
                os.kill(pid, signal.SIGKILL)
            for one in fds:
                os.close(one)


def _import_first() -> None:
    """Without this script's folder on the path, whose names others have too; what is not installed is not missed."""
    folder = sys.path.pop(0)
    for name in SLOW_IMPORTS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sys.path.insert(0, folder)


def _receive(channel: socket.socket) -> Tuple[bytes, List[int]]:
    fds = array.array("i")
    message, ancillary, _, _ = channel.recvmsg(LONGEST_MESSAGE, socket.CMSG_LEN(DESCRIPTORS * fds.itemsize))
    for _, _, data in ancillary:
        fds.frombytes(data)
    return message, list(fds)


def _tell_ends(status_fds: Dict[int, int]) -> None:
    while status_fds:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        fd = status_fds.pop(pid)
        with contextlib.suppress(BrokenPipeError):
            os.write(fd, STATUS.pack(code))
        os.close(fd)


def _be_child(environment: Dict[str, str], fds: List[int]) -> NoReturn:
    """As if it had been started alone: its own session, environment, descriptors and chances."""
    code = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, fd in enumerate(fds[:3]):
            os.dup2(fd, number)
        os.close(fds.pop())  # its status is its parent's to tell
        for fd in fds[:3]:
            os.close(fd)
        os.environ.clear()
        os.environ.update(environment)
        random.seed()
        run_action(fds[3])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def run_action(outcome_fd: int) -> None:
    """Run the action that stdin asks for and write what it returned; an exception ends the process with its trace."""
    os.set_inheritable(outcome_fd, False)
    request = json.load(sys.stdin)
    services = _services()
    _prepare_path(request)
    outcome = _outcome(_instance(request, services).run(**request["parameters"]))
    with os.fdopen(outcome_fd, "w", encoding="utf-8") as out:
        json.dump(outcome, out)


def _services() -> Any:
    """What StackStorm hands to actions; neither this script's folder nor the lab's stays on the action's path."""
    sys.path[0] = ROOT
    services = importlib.import_module("lab.stackstorm.services")
    sys.path.pop(0)
    return services


def _prepare_path(request: Dict[str, Any]) -> None:
    sys.path.insert(0, request["library"])
    if importlib.util.find_spec("st2common") is None:
        sys.path.append(request["standin"])
    sys.path.append(os.path.dirname(os.path.realpath(request["file"])))


def _instance(request: Dict[str, Any], services: Any) -> Any:
    cls = _action_class(request["file"])
    service = services.ActionService(request["pack"], cls.__name__, request["log_level"])
    return cls(config=request["config"], action_service=service)


def _action_class(path: str) -> Type[Any]:
    """The one class in the file that has a run(); the module is not put into sys.modules, as in StackStorm."""
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: List[Type[Any]] = [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__ and callable(getattr(cls, "run", None))
    ]
    if len(found) != 1:
        raise ImportError(f"{path} has {len(found)} classes with a run(), not one")
    return found[0]


def _outcome(returned: Any) -> Dict[str, Any]:
    status, result = returned if isinstance(returned, tuple) and len(returned) == 2 else (None, returned)
    if status is not None and not isinstance(status, bool):
        sys.stderr.write(f"Status returned from run() must either be True or False, got: {status}\n")
        sys.exit(INVALID_STATUS_EXIT_CODE)
    try:
        json.dumps(result)
    except (TypeError, ValueError):
        result = str(result)
    return {"status": status, "result": result}


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
