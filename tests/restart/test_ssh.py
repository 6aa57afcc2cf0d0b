"""OpenSSH's client: what the operator's ssh_config decides, and each way in which it fails."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from placement_recovery.errors import ConfigurationError, HostFailure, InvalidInput
from placement_recovery.restart.restarter import Restarter
from testkit.host_names import HOSTILE
from testkit.ssh_server import Programs, host_entry, make_key, ssh_server


@pytest.fixture
def ready(site):
    """A site whose host has systemd and a sudo that permits all."""
    site.programs.add_systemd()
    return site


def failure_of(site, **changes):
    """Return the text of the HostFailure that a probe of compute-0 raises."""
    with pytest.raises(HostFailure) as caught:
        Restarter(site.config(**changes)).probe("compute-0")
    text = str(caught.value)
    assert "compute-0 (SSH target compute-0)" in text
    assert text.isprintable()
    return text


def test_a_mapped_target_is_used(ready):
    """ssh_targets leads a host to a Host of ssh_config, here with a user before it."""
    ready.ssh_config.write_text(host_entry("cn-zero", ready.options()))
    restarter = Restarter(ready.config(ssh_targets={"compute-0.az1": "nova@cn-zero"}))
    assert "compute-0.az1 (SSH target nova@cn-zero)" in restarter.probe("compute-0.az1")


def test_a_jump_host_is_used(ready, tmp_path):
    """ProxyJump of ssh_config leads through a second server."""
    jump_key = make_key(tmp_path / "jump_key")
    with ssh_server(Programs(tmp_path / "jump"), jump_key.path, ready.user_key.public) as jump:
        with ready.known_hosts.open("a") as known:
            known.write(f"[127.0.0.1]:{jump.port} {jump_key.public}\n")
        entries = [("jump", ready.options(Port=jump.port)), ("compute-0", ready.options(ProxyJump="jump"))]
        ready.ssh_config.write_text("".join(host_entry(*entry) for entry in entries))
        assert "is active" in Restarter(ready.config()).restart("compute-0")


def test_a_jump_host_with_an_unknown_key_is_refused(ready, tmp_path):
    """Nobody is asked, and the error says whose key it is."""
    jump_key = make_key(tmp_path / "jump_key")
    with ssh_server(Programs(tmp_path / "jump"), jump_key.path, ready.user_key.public) as jump:
        entries = [("jump", ready.options(Port=jump.port)), ("compute-0", ready.options(ProxyJump="jump"))]
        ready.ssh_config.write_text("".join(host_entry(*entry) for entry in entries))
        assert "a jump host or proxy on the way failed: its host key is unknown" in failure_of(ready)


def test_an_unknown_host_key_is_refused_by_default(ready):
    """Here ssh_config says nothing on host keys; nothing is run, and the key is not added."""
    ready.known_hosts.write_text("")
    text = failure_of(ready)
    assert "its host key is unknown" in text
    assert "add the key to known_hosts" in text
    assert ready.programs.calls == []
    assert ready.known_hosts.read_text() == ""


def test_an_unknown_host_key_is_refused_where_ssh_config_demands_it(ready):
    """StrictHostKeyChecking yes prints another text than the default."""
    ready.known_hosts.write_text("")
    ready.write_ssh_config(StrictHostKeyChecking="yes")
    assert "its host key is unknown" in failure_of(ready)


def test_the_operator_may_accept_new_host_keys(ready):
    """ssh_config decides about host keys."""
    ready.known_hosts.write_text("")
    ready.write_ssh_config(StrictHostKeyChecking="accept-new")
    assert "permits its restart" in Restarter(ready.config()).probe("compute-0")
    assert ready.host_key.public.split()[1] in ready.known_hosts.read_text()


@pytest.mark.parametrize("strict", ["ask", "accept-new"])
def test_a_changed_host_key_is_refused(ready, tmp_path, strict):
    """A reinstalled host has a changed key, and so does an interceptor."""
    other = make_key(tmp_path / "other_key")
    ready.known_hosts.write_text(f"[127.0.0.1]:{ready.server.port} {other.public}\n")
    ready.write_ssh_config(StrictHostKeyChecking=strict)
    text = failure_of(ready)
    assert "its host key is not the one in known_hosts" in text
    assert "ssh-keygen -R" in text
    assert ready.programs.calls == []


def test_a_key_that_is_not_accepted_is_reported(ready, tmp_path):
    """No password is asked for."""
    ready.write_ssh_config(IdentityFile=make_key(tmp_path / "wrong_key").path)
    text = failure_of(ready)
    assert "it accepted no key of the user that runs this" in text
    assert "Permission denied" in text


def test_a_key_that_others_may_read_is_reported(ready):
    """ssh ignores it, and says so above its denial."""
    ready.user_key.path.chmod(0o644)
    assert "Set its mode to 0600" in failure_of(ready)


def test_a_port_where_nothing_listens_is_reported(ready):
    """The error names the port's option."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        ready.write_ssh_config(Port=port)
        text = failure_of(ready)
    assert "nothing listens on its SSH port" in text
    assert f"port {port}: Connection refused" in text


def test_a_name_that_cannot_be_resolved_is_reported(ready):
    """.invalid never resolves (RFC 6761)."""
    ready.write_ssh_config(HostName="compute-0.invalid")
    text = failure_of(ready)
    assert "the name of its SSH target cannot be resolved" in text
    assert "ssh_targets" in text


def test_a_server_that_says_nothing_is_stopped(ready):
    """ConnectTimeout ends before restart_timeout, so that ssh reports its own error."""
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        ready.write_ssh_config(Port=silent.getsockname()[1])
        text = failure_of(ready, restart_timeout=4)
    assert "its SSH port did not answer in time" in text


def test_a_connection_that_is_dropped_is_reported(ready):
    """The error does not claim that the command ran. Here a proxy that ends at once drops the connection."""
    ready.write_ssh_config(ProxyCommand="true")
    text = failure_of(ready)
    assert "the connection was dropped; whether the command ran there is not known" in text


def test_a_command_that_hangs_is_stopped(ready):
    """restart_timeout bounds the whole call, and the error says what is not known."""
    ready.programs.add("systemctl", "sleep 60")
    text = failure_of(ready, restart_timeout=2)
    assert "systemctl did not end within 2 s and was stopped" in text
    assert "may still be running" in text


def test_a_command_that_is_killed_is_distinguished_from_a_status(ready):
    """A signal there comes back as ssh's 255, without any output."""
    ready.programs.add("systemctl", "kill -KILL 0")
    text = failure_of(ready)
    assert "or the command there was killed" in text
    assert text.endswith("Output of ssh: nothing")


def test_an_ssh_config_that_is_missing_is_reported(ready):
    """The file of ssh_config_file is named."""
    text = failure_of(ready, ssh_config_file=str(ready.folder / "nowhere"))
    assert "its ssh_config cannot be used" in text
    assert "nowhere" in text


def test_an_ssh_config_that_is_broken_is_reported(ready):
    """ssh names the line."""
    ready.ssh_config.write_text("Host compute-0\n  Prot 22\n")
    text = failure_of(ready)
    assert "its ssh_config cannot be used" in text
    assert "line 2" in text


def test_a_missing_client_is_reported(ready, monkeypatch, tmp_path):
    """The package to install is named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostFailure, match="Install openssh-client"):
        Restarter(ready.config()).probe("compute-0")


@pytest.mark.parametrize("host", HOSTILE)
def test_a_hostile_host_reaches_no_program(ready, host):
    """It is refused before ssh is started."""
    for call in (Restarter(ready.config()).probe, Restarter(ready.config()).restart):
        with pytest.raises(InvalidInput):
            call(host)
    assert ready.programs.calls == []


def test_a_hostile_target_reaches_no_program(ready):
    """The configuration is checked as well."""
    config = ready.config(ssh_targets={"compute-0": "-oProxyCommand=touch x"})
    with pytest.raises(ConfigurationError):
        Restarter(config).probe("compute-0")


def test_how_ssh_is_called(site, monkeypatch):
    """No option on host keys, no password, options closed before the target, and the caller's environment."""
    client = Programs(site.folder / "client")
    client.add("ssh", 'printf "%s" "$SSH_AUTH_SOCK" >"$here/agent"; echo LoadState=loaded')
    monkeypatch.setenv("PATH", client.path)
    monkeypatch.setenv("SSH_AUTH_SOCK", "/some/agent")
    Restarter(site.config(ssh_config_file="", restart_timeout=60)).probe("compute-0")
    call = client.calls[0]
    assert call[:3] == ["ssh", "-T", "-o"]
    assert call[-3:] == ["--", "compute-0", "systemctl show --property=LoadState,ActiveState nova-compute"]
    assert "BatchMode=yes" in call
    assert "ConnectTimeout=15" in call
    assert "-F" not in call
    assert not any("StrictHostKeyChecking" in word for word in call)
    assert client.state("agent") == "/some/agent"
