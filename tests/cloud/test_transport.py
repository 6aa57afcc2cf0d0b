"""Answers of all sorts, over a real socket: each becomes the right error, and only reads are repeated."""

from __future__ import annotations

import pytest

from placement_recovery.cloud.nova import Nova
from placement_recovery.cloud.placement import Placement
from placement_recovery.errors import (
    ApiConflict,
    ApiDenied,
    ApiNotFound,
    ApiRejected,
    ApiUnavailable,
    ApiUnreachable,
    ConfigurationError,
)
from testkit.web import DROP, HANG, Reply

PATH = "/compute/v2.1/os-services"
HTML = "<html><head><title>503 Service Unavailable</title></head>\n<body><h1>No server is available</h1></body></html>"
PLACEMENTS = {"errors": [{"status": 409, "code": "placement.concurrent_update", "detail": "generation moved"}]}
NOVAS = {"conflictingRequest": {"code": 409, "message": "service is busy"}}


def test_a_service_is_asked_in_its_microversion(web, apis):
    """By the header that all services of OpenStack share."""
    web.answer("GET", PATH, Reply(200, {"services": []}))
    nova, _ = apis()
    assert nova.get("/os-services", "2.69") == {"services": []}
    assert web.requests[-1].microversion == "compute 2.69"


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (Reply(401, {"error": {"message": "expired"}}), ApiDenied, "check the user and password, and project_name"),
        (Reply(403, {"forbidden": {"message": "no"}}), ApiDenied, "the user of clouds.yaml needs the admin role. no"),
        (Reply(404, {"itemNotFound": {"message": "no such host"}}), ApiNotFound, "answered 404: no such host"),
        (Reply(409, NOVAS), ApiConflict, "answered 409: service is busy"),
        (Reply(409, PLACEMENTS), ApiConflict, "answered 409: generation moved"),
        (Reply(400, {"badRequest": {"message": "odd"}}), ApiRejected, "answered 400: odd"),
        (Reply(406, "not acceptable", "text/plain"), ApiRejected, "answered 406: not acceptable"),
        (Reply(500, {"computeFault": {"message": "oops"}}), ApiUnavailable, "try again when it is back. oops"),
        (Reply(300, {"choices": []}), ApiRejected, "answered 300"),
        (Reply(200, HTML, "text/html"), ApiUnavailable, "answered 200, but not in JSON"),
        (Reply(200, "[1, 2]"), ApiUnavailable, "answered 200, but with no JSON object: [1, 2]"),
        (Reply(200, "{\"services\": [", "application/json"), ApiUnavailable, "not in JSON"),
    ],
)
def test_each_answer_that_is_of_no_use_has_its_error(web, apis, raised, reply, kind, told):
    """Of its own class, naming service, method and path, and what to do."""
    web.answer("GET", PATH, reply)
    nova, _ = apis()
    error = raised(kind, nova.get, "/os-services", "2.69")
    assert str(error).startswith("nova: GET /os-services ")
    assert told in str(error)


def test_the_code_of_placement_is_kept(web, apis, raised):
    """What callers branch on."""
    web.answer("PUT", "/placement/traits/CUSTOM_X", Reply(409, PLACEMENTS))
    _, placement = apis()
    error = raised(ApiConflict, placement.write, "PUT", "/traits/CUSTOM_X", "1.36")
    assert (error.status, error.code) == (409, "placement.concurrent_update")


@pytest.mark.parametrize(
    "body", [{"errors": "x"}, {"errors": []}, {"errors": ["x"]}, {"errors": [{}]}, [], [1], "x", None, {"a": None}, 7]
)
def test_an_error_may_have_any_body(web, apis, raised, body):
    """What a proxy makes of it is no reason to stumble."""
    web.answer("GET", PATH, Reply(409, body))
    nova, _ = apis()
    assert raised(ApiConflict, nova.get, "/os-services", "2.69").code == ""


def test_what_others_wrote_is_shortened_to_one_printable_line(web, apis, raised):
    """No control character of theirs reaches a terminal, and no page of theirs a chat."""
    web.answer("GET", PATH, Reply(500, "\x1b[31mred\x1b[0m\n" + "long " * 1000, "text/plain"))
    nova, _ = apis()
    text = str(raised(ApiUnavailable, nova.get, "/os-services", "2.69"))
    assert text.isprintable()
    assert len(text) < 450


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_read_survives_a_short_outage(web, apis, status):
    """A proxy that restarts, or a service whose database does."""
    web.answer("GET", PATH, Reply(status, HTML, "text/html"), DROP, Reply(200, {"services": []}))
    nova, _ = apis()
    assert nova.get("/os-services", "2.69") == {"services": []}
    assert web.requested_name(PATH) == 3


def test_a_read_gives_up_after_three_answers(web, apis, raised):
    """The HTML of the proxy is told without its tags."""
    web.answer("GET", PATH, Reply(503, HTML, "text/html"))
    nova, _ = apis()
    error = raised(ApiUnavailable, nova.get, "/os-services", "2.69")
    assert "answered 503; try again when it is back. 503 Service Unavailable No server is available" in str(error)
    assert web.requested_name(PATH) == 3


@pytest.mark.parametrize("reply", [DROP, HANG])
def test_a_read_that_gets_no_answer_is_repeated_and_given_up(web, apis, raised, reply):
    """A dropped connection, and a service that hangs: bounded by request_timeout."""
    web.answer("GET", PATH, reply)
    nova, _ = apis()
    error = raised(ApiUnreachable, nova.get, "/os-services", "2.69")
    assert "got no answer" in str(error)
    assert "check the network and the endpoint, then try again" in str(error)
    assert web.requested_name(PATH) == 3


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(Reply(503, HTML, "text/html"), ApiUnavailable), (DROP, ApiUnreachable), (HANG, ApiUnreachable),
     (Reply(409, PLACEMENTS), ApiConflict), (Reply(500, "{}"), ApiUnavailable)],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_write_is_never_repeated(web, apis, raised, method, reply, kind):
    """Whether a lost one was carried out only a look can tell."""
    web.answer(method, "/placement/allocations", reply)
    _, placement = apis()
    raised(kind, placement.write, method, "/allocations", "1.36", {"some": "body"})
    assert web.requested_name("/placement/allocations") == 1


def test_a_write_may_be_answered_by_nothing(web, apis):
    """204."""
    web.answer("DELETE", "/placement/traits/CUSTOM_X", Reply(204))
    _, placement = apis()
    assert placement.write("DELETE", "/traits/CUSTOM_X", "1.36") == {}


def test_a_service_that_is_refused_at_its_port(apis, raised):
    """Nobody listens there. Old openstacksdks notice it on connecting, newer ones at the first request."""

    def ask() -> None:
        nova, _ = apis(cloud_options={"compute_endpoint_override": "http://127.0.0.1:9/v2.1"})
        nova.get("/os-services", "2.69")

    error = raised(ApiUnreachable, ask)
    assert "127.0.0.1" in str(error)
    assert "check the network and the endpoint" in str(error)


def test_a_200_of_something_else_is_not_taken_for_an_empty_list(web, apis, raised):
    """A landing page in JSON at the service's address."""
    web.answer("GET", PATH, Reply(200, {"status": "ok"}))
    nova, _ = apis()
    answer = nova.get("/os-services", "2.69")
    error = raised(ApiUnavailable, answer.__getitem__, "services")
    assert str(error).startswith("nova: GET /os-services was answered without 'services'")


def test_a_cache_in_clouds_yaml_is_not_used(web, apis):
    """What is read here decides over deletes."""
    cache = {"expiration_time": 3600, "class": "dogpile.cache.memory", "expiration": {"compute.servers": 3600}}
    web.answer("GET", "/compute/v2.1/servers", Reply(200, {"servers": [1]}), Reply(200, {"servers": [2]}))
    nova, _ = apis(cloud_options={"cache": cache})
    first, second = nova.get("/servers", "2.69"), nova.get("/servers", "2.69")
    assert (first["servers"], second["servers"]) == ([1], [2])


@pytest.mark.parametrize("offered", ["2.68", "2.1", ""])
def test_a_nova_that_is_too_old_is_refused(web, apis, config, raised, offered):
    """With what it offers and what is asked for."""
    web.nova_offers(offered)
    nova, _ = apis()
    error = raised(ConfigurationError, Nova, nova, config())
    assert f"nova offers microversion {offered or '0.0'} at the most" in str(error)
    assert "2.69" in str(error)


def test_a_placement_that_is_too_old_is_refused(web, apis, config, raised):
    """Without consumer generations no conflict is ever noticed."""
    web.placement_offers("1.27")
    _, placement = apis()
    error = raised(ConfigurationError, Placement, placement, config())
    assert "placement offers microversion 1.27 at the most; consumer generations need 1.28" in str(error)


@pytest.mark.parametrize(("offered", "wanted", "read"), [("1.30", "1.39", "1.30"), ("1.39", "1.28", "1.28")])
def test_reads_use_the_highest_microversion_that_both_sides_know(web, apis, config, offered, wanted, read):
    """What the configuration allows, and what Placement offers."""
    web.placement_offers(offered)
    web.answer("GET", "/placement/resource_providers", Reply(200, {"resource_providers": []}))
    _, api = apis()
    placement = Placement(api, config(placement_microversion=wanted))
    assert placement.list_providers() == ()
    assert (placement.read_version, web.requests[-1].microversion) == (read, f"placement {read}")
    assert not placement.keeps_types
