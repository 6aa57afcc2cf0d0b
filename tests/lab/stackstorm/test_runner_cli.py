"""The runner's command line: what it shows, its exit codes, and how it is stopped."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from lab.stackstorm import runner
from lab.stackstorm.__main__ import main


@pytest.fixture
def cli(pack, capsys):
    """Run the command line on the fixture pack: the exit code, stdout and stderr."""

    def run(command, *words):
        code = main([command, *words, "--pack", str(pack.folder)])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def holding(pack, tmp_path):
    """The command line in a process of its own, running an action that waits; with the line of its processes."""
    command = [sys.executable, "-m", "lab.stackstorm", "run", "runner_pack.hold", f"until={tmp_path / 'file'}"]
    command += ["--output", "--pack", str(pack.folder)]
    with subprocess.Popen(
        command, cwd=runner.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        line = next(line for line in process.stdout if "pids" in line)
        yield process, line.split(maxsplit=1)[1]
        process.kill()


def test_run_shows_each_task_and_the_result(cli):
    """Each task is shown as it starts and ends, the output comes at the end, and the exit code is 0."""
    code, out, _ = cli("run", "runner_pack.visit_allocations", "name=compute-0")

    assert code == 0
    assert "  arrive  runner_pack.greet\n" in out
    assert "s: Hello, compute-0\n" in out
    assert out.endswith('runner_pack.visit_allocations: succeeded\n{\n  "summary": "Hello, compute-0, good bye"\n}\n')


def test_failure_is_exit_code_1(cli):
    """A failed run says which task failed and why."""
    code, out, _ = cli("run", "runner_pack.visit_allocations", "name=compute-0", "how=raise")

    assert code == 1
    assert "leave  FAILED after" in out
    assert "RuntimeError: as asked" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["runner_pack.greet"], "error: runner_pack.greet: name: 'name' is a required property"),
        (["runner_pack.greet", "compute-0"], "error: compute-0: a parameter is given as name=value"),
        (["runner_pack.nothing"], 'error: Action "runner_pack.nothing" cannot be found'),
    ],
)
def test_refused_request_is_exit_code_2(cli, words, message):
    """What would not be accepted is one line on stderr."""
    code, _, err = cli("run", *words)

    assert code == 2
    assert err.startswith(message)


def test_list_names_the_actions(cli):
    """The pack's actions are listed with runner and description."""
    code, out, _ = cli("list")

    assert code == 0
    assert out.split()[:2] == ["runner_pack.answer", "python-script"]
    assert len(out.splitlines()) == 5


def test_interrupt_cancels_as_stackstorm_would(holding, tmp_path):
    """The first Ctrl-C lets the running action end."""
    process, _ = holding

    process.send_signal(signal.SIGINT)
    said = next(line for line in process.stdout if "canceling" in line)
    (tmp_path / "file").touch()
    rest = process.stdout.read()

    assert said.startswith("canceling: the running action ends")
    assert "runner_pack.hold: canceled" in rest
    assert process.wait(30) == 1


def test_second_interrupt_kills(holding, gone):
    """The second Ctrl-C ends everything that the run started."""
    process, pids = holding

    process.send_signal(signal.SIGINT)
    next(line for line in process.stdout if "canceling" in line)
    process.send_signal(signal.SIGINT)

    assert process.wait(30) == 130
    assert gone(pids)


def test_sigterm_leaves_nothing_running(holding, gone):
    """SIGTERM ends everything that the run started."""
    process, pids = holding

    process.terminate()

    assert process.wait(30) == 143
    assert gone(pids)


def test_killed_command_line_leaves_nothing_running(holding, gone):
    """Even a SIGKILL of the caller ends the engine and its actions."""
    process, pids = holding

    process.kill()
    process.wait(30)

    assert gone(pids)
