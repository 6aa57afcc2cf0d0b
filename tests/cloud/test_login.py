"""Credentials and catalogues that do not do: each told as what it is, and no secret with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from placement_recovery.cloud.session import connect
from placement_recovery.config import Config
from placement_recovery.errors import ApiDenied, ApiUnavailable, ApiUnreachable, ConfigurationError
from testkit.web import DROP, HANG, PASSWORD, Reply, Web

CERTIFICATE = str(Path(__file__).resolve().parents[1] / "fixtures" / "tls" / "self_signed.pem")
TOKENS = "/identity/v3/auth/tokens"


def test_a_password_that_keystone_refuses(web, config, raised):
    """401: look at clouds.yaml."""
    web.answer("POST", TOKENS, Reply(401, {"error": {"code": 401, "message": "The request requires authentication."}}))
    error = raised(ApiDenied, connect, config())
    assert str(error).startswith("keystone: log in to cloud web was refused with 401: check the user and password, and")
    assert error.status == 401


def test_a_user_name_that_keystone_does_not_understand(web, config, raised):
    """400, as where clouds.yaml has none: no outage, and asked once."""
    web.answer("POST", TOKENS, Reply(400, {"error": {"code": 400, "message": "Expecting to find domain in user."}}))
    given = config()
    error = raised(ConfigurationError, connect, given)
    assert "was refused with 400: Expecting to find domain in user" in str(error)
    assert f"project_name and project_domain_name in {given.clouds_file}" in str(error)
    assert web.requested_name(TOKENS) == 1


def test_an_auth_url_that_leads_elsewhere(web, config, raised):
    """404 at the login."""
    web.answer("POST", TOKENS, Reply(404, "<html>Not Found</html>", "text/html"))
    assert "was refused with 404" in str(raised(ConfigurationError, connect, config()))


def test_a_token_for_no_project(web, config, raised):
    """The catalogue of such a token is empty; that is not what ails."""
    web.log_in("compute", "placement", project="")
    given = config()
    error = raised(ConfigurationError, connect, given)
    assert f"gave a token for no project; set project_name and project_domain_name in {given.clouds_file}" in str(error)


def test_a_certificate_that_nobody_vouches_for(tmp_path, raised):
    """Self-signed, and no cacert in clouds.yaml; with it all is well."""
    with Web(certificate=CERTIFICATE) as secure:
        path = tmp_path / "clouds.yaml"
        path.write_text(secure.clouds_yaml())
        given = Config.from_mapping({"clouds_file": str(path), "cloud": "web", "request_timeout": 5})
        error = raised(ConfigurationError, connect, given)
        assert "the certificate of auth_url is not trusted" in str(error)
        assert f"set cacert to the CA's file for cloud web in {path}" in str(error)
        path.write_text(secure.clouds_yaml(cacert=CERTIFICATE))
        assert connect(given)[0].service == "nova"


@pytest.mark.parametrize("status", [500, 503])
def test_a_keystone_that_is_ill(web, config, raised, status):
    """5xx with the HTML of a proxy."""
    web.answer("POST", TOKENS, Reply(status, "<html>ill</html>", "text/html"))
    assert f"answered {status}; try again when it is back" in str(raised(ApiUnavailable, connect, config()))


@pytest.mark.parametrize("reply", [DROP, Reply(503, "<html>ill</html>", "text/html")])
def test_a_login_survives_a_short_outage(web, config, reply):
    """To ask for a token once more harms nobody."""
    web.answer_first("POST", TOKENS, reply, reply)
    nova, _ = connect(config())
    assert nova.service == "nova"
    assert web.requested_name(TOKENS) == 3


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_that_expires_is_replaced(web, config, method):
    """In a long run: the request that met it is sent once more, a write too, for 401 means that nothing was done."""
    path, expired = "/placement/allocations", Reply(401, {"error": {"code": 401, "message": "expired"}})
    web.answer(method, path, expired, Reply(200, {"allocations": {}}))
    _, placement = connect(config())
    if method == "GET":
        assert placement.get("/allocations", "1.36") == {"allocations": {}}
    else:
        assert placement.write(method, "/allocations", "1.36", {}) == {"allocations": {}}
    assert (web.requested_name(TOKENS), web.requested_name(path)) == (2, 2)


@pytest.mark.parametrize("reply", [DROP, HANG])
def test_a_keystone_that_does_not_answer(web, config, raised, reply):
    """Nothing is known but that."""
    web.answer("POST", TOKENS, reply)
    assert "keystone: log in to cloud web got no answer" in str(raised(ApiUnreachable, connect, config()))


def test_a_keystone_that_is_refused_at_its_port(config, raised):
    """Nobody listens there."""
    auth = {"auth_url": "http://127.0.0.1:9/v3", "username": "a", "password": PASSWORD, "project_name": "p",
            "user_domain_name": "d", "project_domain_name": "d"}
    error = raised(ApiUnreachable, connect, config({"auth": auth}))
    assert "check the network and the endpoint" in str(error)


@pytest.mark.parametrize(("missing", "there"), [("compute", "placement"), ("placement", "compute")])
def test_a_service_that_is_not_in_the_catalogue(web, config, raised, missing, there):
    """At once, or when it is asked for the first time."""
    web.log_in(there)

    def ask():
        for api in connect(config()):
            api.greatest_microversion()

    error = raised(ConfigurationError, ask)
    assert missing in str(error)
    assert "check region and interface in clouds.yaml, and the catalog" in str(error)


def test_a_region_without_the_services(config, raised):
    """As good as not in the catalogue."""
    error = raised(ConfigurationError, lambda: connect(config({"region_name": "Two"}))[0].greatest_microversion())
    assert "Two" in str(error)


def attempt(tmp_path, text, cloud="web"):
    """Log in with a clouds.yaml of this text."""
    path = tmp_path / "clouds.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return connect(Config.from_mapping({"clouds_file": str(path), "cloud": cloud}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"clouds:\n  web:\n    auth: {{password: {PASSWORD}, [\n", "is no YAML at line 4"),
        (f"clouds:\n\tweb: {PASSWORD}\n", "is no YAML at line 2"),
        (f"{PASSWORD} \udcff\udcfe", "is no YAML"),
        ("", "has no cloud 'web': there is no mapping 'clouds' in it"),
        (PASSWORD, "has no cloud 'web'"),
        (f"- {PASSWORD}", "has no cloud 'web'"),
        (f"clouds: {PASSWORD}", "has no cloud 'web'"),
        (f"clouds: {{web: {PASSWORD}}}", "has no cloud 'web': there is no mapping 'web' in it"),
        (f"clouds: {{other: {{auth: {{password: {PASSWORD}}}}}}}", "has no cloud 'web'"),
        (f"clouds: {{web: {{auth: {{password: {PASSWORD}}}}}}}", "auth_url"),
        (f"clouds: {{web: {{auth: {PASSWORD}}}}}", "cannot be used"),
        (f"clouds: {{web: {{cache: {{a: b}}, auth: {{auth_url: x, password: {PASSWORD}}}}}}}", "cannot be used"),
        (f"clouds: {{web: {{auth_type: nonsense, auth: {{password: {PASSWORD}}}}}}}", "nonsense"),
    ],
)
def test_a_clouds_yaml_that_does_not_do(tmp_path, raised, text, told):
    """What is wrong is said without repeating a word of it."""
    error = raised(ConfigurationError, attempt, tmp_path, text)
    assert told in str(error)
    assert "web" in str(error) or "clouds.yaml" in str(error)


@pytest.mark.parametrize("path", ["/nonexistent/clouds.yaml", "/"])
def test_a_clouds_yaml_that_cannot_be_read(raised, path):
    """Missing, or a folder."""
    error = raised(ConfigurationError, connect, Config.from_mapping({"clouds_file": path}))
    assert str(error).startswith(f"clouds_file {path} cannot be read (")


def test_secrets_may_lie_beside_the_clouds_yaml(web, config, tmp_path):
    """In secure.yaml, as openstacksdk has it."""
    given = config({"auth": {"auth_url": f"{web.url}/identity/v3", "username": "admin", "project_name": "admin",
                             "user_domain_name": "Default", "project_domain_name": "Default"}})
    (tmp_path / "secure.yaml").write_text(f"clouds: {{web: {{auth: {{password: {PASSWORD}}}}}}}")
    nova, _ = connect(given)
    assert nova.greatest_microversion() == (2, 96)


def test_the_environment_brings_no_credentials(config, raised, monkeypatch):
    """Those of a StackStorm runner are not where operators expect them."""
    monkeypatch.setenv("OS_AUTH_URL", "http://127.0.0.1:9/v3")
    monkeypatch.setenv("OS_PASSWORD", PASSWORD)
    assert connect(config())
    raised(ConfigurationError, connect, Config.from_mapping({"clouds_file": config().clouds_file, "cloud": "envvars"}))


def test_a_real_keystone_refuses_a_wrong_password(cloud, raised):
    """As an action meets it."""
    config = Config.from_mapping(cloud.config(clouds_file=cloud.clouds_yaml(password=PASSWORD)))
    assert "was refused with 401" in str(raised(ApiDenied, connect, config))


def test_a_real_nova_and_placement_refuse_who_is_no_admin(cloud, raised):
    """403, with what the user of clouds.yaml needs."""
    config = Config.from_mapping(cloud.config(clouds_file=cloud.clouds_yaml(user="demo")))
    nova, placement = connect(config)
    for api, path in ((nova, "/os-services"), (placement, "/resource_providers")):
        error = raised(ApiDenied, api.get, path, "")
        assert "403: the user of clouds.yaml needs the admin role" in str(error)
