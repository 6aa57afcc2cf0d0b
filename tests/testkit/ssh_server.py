"""A compute host for tests: a real SSH server on 127.0.0.1 that runs commands with made-up programs on its PATH."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple

import asyncssh

WORD_END, CALL_END = "\x1f", "\x1e"

SYSTEMCTL = """
case "$1" in
  show) printf 'LoadState=%s\\nActiveState=%s\\n' "$(cat "$here/load")" "$(cat "$here/active")" ;;
  restart) echo active >"$here/active" ;;
  is-active) cat "$here/active"; test "$(cat "$here/active")" = active ;;
esac
"""
SUDO = """
shift
test "$1" = -l && exit 0
exec "$@"
"""
CONTAINERS = """
case "$1" in
  container) cat "$here/status" ;;
  restart) echo running >"$here/status" ;;
esac
"""


class KeyPair(NamedTuple):
    """A private key's file, and the public key as a line."""

    path: Path
    public: str


def make_key(path: Path) -> KeyPair:
    """Make an ed25519 key in `path`, readable by its owner only, as ssh demands."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(path))
    path.chmod(0o600)
    return KeyPair(path, key.export_public_key().decode().strip())


class Programs:
    """A folder of made-up programs that write down how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "programs"
        self.folder.mkdir(parents=True)
        self._log = folder / "calls"
        self.set_state(load="loaded", active="inactive", status="exited")

    @property
    def path(self) -> str:
        """A PATH on which they come first."""
        return f"{self.folder}:/usr/bin:/bin"

    @property
    def calls(self) -> List[List[str]]:
        """Every call so far: the program's name and its arguments."""
        if not self._log.exists():
            return []
        return [call.split(WORD_END)[:-1] for call in self._log.read_text().split(CALL_END)[:-1]]

    def add(self, name: str, body: str) -> None:
        """Add, or replace, a shell script; in it `$here` is the folder."""
        record = f"{{ printf '%s\\037' \"${{0##*/}}\" \"$@\"; printf '\\036'; }} >>'{self._log}'"
        program = self.folder / name
        program.write_text(f"#!/bin/sh\nhere='{self.folder}'\n{record}\n{body}\n")
        program.chmod(0o755)

    def add_systemd(self) -> None:
        """Add a systemctl that keeps the state of one unit, and a sudo that permits all."""
        self.add("systemctl", SYSTEMCTL)
        self.add("sudo", SUDO)

    def add_engine(self, engine: str) -> None:
        """Add a docker or podman that keeps the state of one container, and a sudo that permits all."""
        self.add(engine, CONTAINERS)
        self.add("sudo", SUDO)

    def set_state(self, **states: str) -> None:
        """Set what the programs answer: `load` and `active` of the unit, `status` of the container."""
        for name, state in states.items():
            (self.folder / name).write_text(state + "\n")

    def state(self, name: str) -> str:
        """Return one of these states as it is now."""
        return (self.folder / name).read_text().strip()


class SshServer(asyncssh.SSHServer):
    """Lets every connection through, so that each server can be a jump host too."""

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        """Permit direct-tcpip."""
        return True


class RunningServer:
    """The server's port, and its programs."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self.port = 0
        self._children: List[subprocess.Popen[bytes]] = []

    async def start(self, host_key: Path, authorized: str) -> asyncssh.SSHAcceptor:
        """Listen on a free port."""
        acceptor = await asyncssh.create_server(
            SshServer,
            "127.0.0.1",
            0,
            server_host_keys=[str(host_key)],
            authorized_client_keys=asyncssh.import_authorized_keys(authorized),
            process_factory=self._run,
            encoding=None,
        )
        self.port = acceptor.sockets[0].getsockname()[1]
        return acceptor

    async def stop(self, acceptor: asyncssh.SSHAcceptor) -> None:
        """End what still runs, then the connections."""
        for child in self._children:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        acceptor.close()
        await acceptor.wait_closed()

    async def _run(self, process: Any) -> None:
        child = subprocess.Popen(
            ["/bin/sh", "-c", process.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": self.programs.path},
            start_new_session=True,
        )
        self._children.append(child)
        stdout, stderr = await asyncio.get_running_loop().run_in_executor(None, child.communicate)
        with suppress(OSError):  # the client may have gone
            process.stdout.write(stdout)
            process.stderr.write(stderr)
            if child.returncode < 0:
                process.exit_with_signal(signal.Signals(-child.returncode).name[3:])
            else:
                process.exit(child.returncode)


@contextmanager
def ssh_server(programs: Programs, host_key: Path, authorized: str) -> Iterator[RunningServer]:
    """Run a server in a thread; it accepts the public key `authorized` for any user."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = RunningServer(programs)
    try:
        acceptor = asyncio.run_coroutine_threadsafe(server.start(host_key, authorized), loop).result(30)
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(acceptor), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(_end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


async def _end() -> None:
    loop = asyncio.get_running_loop()
    others = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await loop.run_in_executor(None, lambda: None)


def host_entry(name: str, options: Dict[str, Any]) -> str:
    """One Host of an ssh_config."""
    return f"Host {name}\n" + "".join(f'  {option} "{value}"\n' for option, value in options.items())
