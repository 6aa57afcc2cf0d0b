"""Each strategy to restart nova-compute, over a real SSH connection."""

from __future__ import annotations

import pytest

from placement_recovery.config import Config
from placement_recovery.errors import ConfigurationError, HostFailure
from placement_recovery.restart.restarter import Restarter

SHOW = ["systemctl", "show", "--property=LoadState,ActiveState", "nova-compute"]
RESTART = ["systemctl", "restart", "nova-compute"]


class Time:
    """A clock that only pauses advance."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        """Return the seconds that passed."""
        return self.now

    def pause(self, seconds: float) -> None:
        """Advance the clock at once."""
        self.now += seconds


def failure_of(call, host="compute-0"):
    """Return the text of the HostFailure that `call` raises."""
    with pytest.raises(HostFailure) as caught:
        call(host)
    return str(caught.value)


def test_probe_of_a_unit_restarts_nothing(site):
    """Only systemd and sudo are asked."""
    site.programs.add_systemd()
    sentence = Restarter(site.config()).probe("compute-0")
    assert "systemd unit nova-compute on compute-0" in sentence
    assert "is inactive, and sudo permits its restart" in sentence
    assert site.programs.calls == [SHOW, ["sudo", "-n", "-l", *RESTART]]
    assert site.programs.state("active") == "inactive"


def test_restart_of_a_unit_ends_when_it_is_active(site):
    """The commands are exactly those that sudoers rules can be written for."""
    site.programs.add_systemd()
    sentence = Restarter(site.config()).restart("compute-0")
    assert "was restarted and is active" in sentence
    assert site.programs.calls == [["sudo", "-n", *RESTART], RESTART, ["systemctl", "is-active", "nova-compute"]]
    assert site.programs.state("active") == "active"


def test_a_unit_is_restarted_by_root_without_sudo(site):
    """restart_sudo false calls systemctl itself, and the probe says who the login is."""
    site.programs.add_systemd()
    site.programs.add("id", "echo 0")
    restarter = Restarter(site.config(restart_sudo=False))
    assert "the login is root" in restarter.probe("compute-0")
    restarter.restart("compute-0")
    assert RESTART in site.programs.calls
    assert not any(call[0] == "sudo" for call in site.programs.calls)


def test_without_sudo_and_root_the_probe_says_what_it_cannot_know(site):
    """Polkit cannot be asked harmlessly."""
    site.programs.add_systemd()
    site.programs.add("id", "echo 1000")
    assert "the login is not root" in Restarter(site.config(restart_sudo=False)).probe("compute-0")


def test_an_unusual_unit_name_arrives_unchanged(site):
    """Backslashes of systemd's escapes survive the remote shell."""
    site.programs.add_systemd()
    unit = "nova-compute@cell\\x2d1.service"
    Restarter(site.config(restart_unit=unit)).restart("compute-0")
    assert ["systemctl", "restart", unit] in site.programs.calls


@pytest.mark.parametrize("unit", ["", "-Hother", "nova*", "a b", "a;b", "nova-[a-z]", "a\n"])
def test_what_is_not_one_unit_is_refused(unit):
    """A pattern would match many units, and a dash would make it an option."""
    with pytest.raises(ConfigurationError, match="restart_unit"):
        Restarter(Config(restart_unit=unit))


@pytest.mark.parametrize("container", ["", "-a", "a b", "$(x)", "a/b"])
def test_what_is_not_a_container_name_is_refused(container):
    """Only names that docker and podman accept are allowed."""
    with pytest.raises(ConfigurationError, match="restart_container"):
        Restarter(Config(restart_container=container))


def test_an_unknown_unit_is_found_before_anything_is_done(site):
    """The error says which option to set."""
    site.programs.add_systemd()
    site.programs.set_state(load="not-found")
    text = failure_of(Restarter(site.config()).probe)
    assert "compute-0" in text
    assert "nova-compute is not-found" in text
    assert "Set restart_unit" in text


def test_a_masked_unit_is_found_before_anything_is_done(site):
    """A masked unit cannot be restarted."""
    site.programs.add_systemd()
    site.programs.set_state(load="masked")
    assert "is masked. Unmask it" in failure_of(Restarter(site.config()).probe)


def test_a_host_without_systemd_is_reported(site):
    """systemctl itself says why."""
    site.programs.add("systemctl", "echo 'System has not been booted with systemd' >&2; exit 1")
    assert "Output: System has not been booted with systemd" in failure_of(Restarter(site.config()).probe)


def test_a_host_without_systemctl_is_reported(site):
    """The shell's 127 is explained."""
    site.programs.add("systemctl", "exit 127")
    assert "systemctl is missing" in failure_of(Restarter(site.config()).probe)


def test_a_unit_that_fails_to_start_is_reported_with_its_output(site):
    """The output of systemctl is shown, without terminal control sequences."""
    site.programs.add_systemd()
    site.programs.add(
        "systemctl",
        """case "$1" in
        show) printf 'LoadState=loaded\\nActiveState=failed\\n' ;;
        restart) printf '\\033[0;1;31mJob for nova-compute.service failed\\033[0m\\007\\n' >&2; exit 1 ;;
        esac""",
    )
    text = failure_of(Restarter(site.config()).restart)
    assert "nova-compute was not restarted: systemctl ended with 1" in text
    assert "journalctl -u nova-compute" in text
    assert "Output: Job for nova-compute.service failed" in text
    assert text.isprintable()


def test_a_unit_that_is_gone_at_the_restart_is_reported_as_unknown(site):
    """The unit is inspected after a failed restart."""
    site.programs.add_systemd()
    site.programs.add("systemctl", 'test "$1" = show && { echo LoadState=not-found; exit 0; }; exit 5')
    assert "is not-found. Set restart_unit" in failure_of(Restarter(site.config()).restart)


def test_polkit_that_refuses_is_reported(site):
    """Without sudo a missing permission shows only at the restart."""
    site.programs.add(
        "systemctl",
        """test "$1" = show && { echo LoadState=loaded; exit 0; }
        echo "Interactive authentication required." >&2; exit 1""",
    )
    assert "set restart_sudo" in failure_of(Restarter(site.config(restart_sudo=False)).restart)


def test_a_unit_that_is_still_starting_is_waited_for(site):
    """A unit that is activating is polled until it is active."""
    site.programs.add_systemd()
    site.programs.add(
        "systemctl",
        """case "$1" in
        restart) echo activating >"$here/active" ;;
        is-active) cat "$here/active"; echo active >"$here/active" ;;
        esac""",
    )
    time = Time()
    sentence = Restarter(site.config(), time.clock, time.pause).restart("compute-0")
    assert sentence.endswith("is active")
    assert time.now == 1.0


def test_a_unit_that_never_comes_up_is_reported(site):
    """restart_timeout bounds the wait."""
    site.programs.add_systemd()
    site.programs.add("systemctl", 'test "$1" = is-active && echo activating; exit 0')
    time = Time()
    text = failure_of(Restarter(site.config(restart_timeout=5), time.clock, time.pause).restart)
    assert "was restarted, but is still activating after 5 s" in text
    assert time.now <= 5


def test_a_unit_that_fails_after_the_restart_is_reported(site):
    """A restart that systemctl accepted may still fail."""
    site.programs.add_systemd()
    site.programs.add("systemctl", 'test "$1" = is-active && { echo failed; exit 3; }; exit 0')
    assert "was restarted, but is now failed" in failure_of(Restarter(site.config()).restart)


@pytest.mark.parametrize(
    ("said", "status", "fact"),
    [
        ("sudo: a password is required", 1, "sudo asks for a password"),
        ("Sorry, user operator may not run sudo on compute-0.", 1, "sudo does not permit it"),
        ("", 1, "sudo does not permit it"),
        ("sudo: Ein Passwort ist notwendig", 1, "sudo does not permit it"),
        ("sh: sudo: not found", 127, "sudo cannot be used (status 127)"),
    ],
)
def test_a_missing_privilege_is_found_by_the_probe(site, said, status, fact):
    """sudo is asked before anything is written, and the error names the command for sudoers."""
    site.programs.add_systemd()
    site.programs.add("sudo", f"echo '{said}' >&2; exit {status}")
    text = failure_of(Restarter(site.config()).probe)
    assert fact in text
    assert 'Permit the login "systemctl restart nova-compute" with NOPASSWD' in text


def test_a_privilege_that_is_missing_at_the_restart_is_reported(site):
    """An error of sudo is not reported as one of the unit."""
    site.programs.add_systemd()
    site.programs.add("sudo", "echo 'sudo: a password is required' >&2; exit 1")
    assert "sudo asks for a password" in failure_of(Restarter(site.config()).restart)


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_probe_of_a_container_restarts_nothing(site, engine):
    """The container is inspected, and sudo is asked."""
    site.programs.add_engine(engine)
    sentence = Restarter(site.config(restart_how=engine)).probe("compute-0")
    assert f"{engine} container nova_compute on compute-0" in sentence
    inspect = [engine, "container", "inspect", "--format", "{{.State.Status}}", "nova_compute"]
    assert site.programs.calls == [
        ["sudo", "-n", *inspect],
        inspect,
        ["sudo", "-n", "-l", engine, "restart", "nova_compute"],
    ]
    assert site.programs.state("status") == "exited"


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_restart_of_a_container_ends_when_it_runs(site, engine):
    """The container is restarted by its name."""
    site.programs.add_engine(engine)
    sentence = Restarter(site.config(restart_how=engine)).restart("compute-0")
    assert sentence.endswith("was restarted and is running")
    assert [engine, "restart", "nova_compute"] in site.programs.calls


def test_a_container_is_restarted_without_sudo(site):
    """A login in the docker group needs none."""
    site.programs.add_engine("docker")
    restarter = Restarter(site.config(restart_how="docker", restart_sudo=False))
    assert "the login may use docker" in restarter.probe("compute-0")
    restarter.restart("compute-0")
    assert not any(call[0] == "sudo" for call in site.programs.calls)


@pytest.mark.parametrize(
    "said", ["Error: No such container: nova_compute", 'Error: inspecting object: no such container "nova_compute"']
)
def test_an_unknown_container_is_found_by_the_probe(site, said):
    """Docker and podman word it differently."""
    site.programs.add_engine("docker")
    site.programs.add("docker", f"echo '{said}' >&2; exit 1")
    text = failure_of(Restarter(site.config(restart_how="docker")).probe)
    assert "there is no docker container nova_compute" in text
    assert "Set restart_container" in text


def test_a_daemon_that_cannot_be_used_is_reported(site):
    """The output of the engine is shown."""
    site.programs.add_engine("docker")
    site.programs.add("docker", "echo 'permission denied while trying to connect to the daemon socket' >&2; exit 1")
    text = failure_of(Restarter(site.config(restart_how="docker")).probe)
    assert "cannot be inspected: docker ended with 1" in text
    assert "Output: permission denied while trying" in text


def test_a_container_that_dies_after_the_restart_is_reported(site):
    """An exited container is not a running nova-compute."""
    site.programs.add_engine("podman")
    site.programs.add("podman", 'test "$1" = container && echo exited; exit 0')
    text = failure_of(Restarter(site.config(restart_how="podman")).restart)
    assert "podman container nova_compute was restarted, but is now exited" in text


def test_every_argument_of_a_command_arrives_unchanged(site):
    """Each argument is quoted for the remote shell."""
    site.programs.add("restart-it", "exit 0")
    odd = ["a b", "$(touch x)", "`x`", "it's", '"', "a;b", "*", "\\", "new\nline", "", "-x", "~", "é"]
    command = ["restart-it", "--host={host}", *odd]
    Restarter(site.config(restart_how="command", restart_command=command)).restart("compute-0")
    assert site.programs.calls == [["restart-it", "--host=compute-0", *odd]]


def test_the_probe_command_is_run_and_the_command_is_not(site):
    """The operator decides what is harmless."""
    site.programs.add("check-it", "exit 0")
    site.programs.add("restart-it", "exit 0")
    config = site.config(
        restart_how="command", restart_command=["restart-it"], restart_probe_command=["check-it", "{host}"]
    )
    assert "succeeded" in Restarter(config).probe("compute-0")
    assert site.programs.calls == [["check-it", "compute-0"]]


def test_without_a_probe_command_the_program_is_looked_for(site):
    """Only its existence can be checked without side effects."""
    site.programs.add("restart-it", "exit 0")
    restarter = Restarter(site.config(restart_how="command", restart_command=["restart-it", "{host}"]))
    assert "restart-it of restart_command exists" in restarter.probe("compute-0")
    assert site.programs.calls == []


def test_a_program_that_is_missing_is_found_by_the_probe(site):
    """The error names the program and the option."""
    restarter = Restarter(site.config(restart_how="command", restart_command=["not-there"]))
    assert "not-there is missing. Correct restart_command" in failure_of(restarter.probe)


def test_a_probe_command_that_fails_stops_the_recovery(site):
    """Its status and its output are shown."""
    site.programs.add("check-it", "echo 'host is fenced' >&2; exit 4")
    config = site.config(restart_how="command", restart_command=["x"], restart_probe_command=["check-it"])
    text = failure_of(Restarter(config).probe)
    assert "check-it ended with 4" in text
    assert "Output: host is fenced" in text


def test_the_arguments_of_a_command_stay_out_of_errors(site):
    """They may be confidential."""
    site.programs.add("restart-it", "exit 9")
    restarter = Restarter(site.config(restart_how="command", restart_command=["restart-it", "--token=sesame"]))
    text = failure_of(restarter.restart)
    assert "restart-it ended with 9" in text
    assert "sesame" not in text


@pytest.mark.parametrize("words", [["-x"], ["", "x"], ["a\x00b"]])
def test_what_is_not_a_program_is_refused(words):
    """The option is named."""
    with pytest.raises(ConfigurationError, match="restart_command"):
        Restarter(Config(restart_how="command", restart_command=tuple(words)))


def test_restart_how_never_contacts_no_host(tmp_path):
    """The probe says what will happen instead, the restart what to do."""
    restarter = Restarter(Config(restart_how="never", ssh_config_file=str(tmp_path / "missing")))
    assert not restarter.may_restart
    assert "by hand on compute-0, then resume: restart_how is never" in restarter.probe("compute-0")
    assert "Restart it by hand" in failure_of(restarter.restart)
