"""The transport: one authenticated session, and one place that turns answers into the errors of this library."""

from __future__ import annotations

import os
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, TypeVar

import openstack
import yaml
from keystoneauth1 import exceptions as ksa
from openstack import exceptions as sdk
from openstack.config import OpenStackConfig
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from placement_recovery.config import Config, microversion
from placement_recovery.errors import (
    ApiConflict,
    ApiDenied,
    ApiFailure,
    ApiNotFound,
    ApiRejected,
    ApiUnavailable,
    ApiUnreachable,
    ConfigurationError,
)

Value = TypeVar("Value")

# A read may be repeated; nothing else is, for only a look shows whether a lost write was carried out.
READ_TRIES = 3
LONGEST_PAUSE = 5.0  # seconds
# What a service answers that cannot reach its database just now, and a proxy whose service is away.
BUSY = (500, 502, 503, 504)

_HINTS = {
    401: "check the user and password, and project_name with its domain, in clouds.yaml",
    403: "the user of clouds.yaml needs the admin role",
}


class Api:
    """One service of the cloud, asked in JSON."""

    def __init__(self, service: str, proxy: Any, auth_url: str, region: str) -> None:
        self.service = service
        self.auth_url = auth_url
        self.region = region
        self._proxy = proxy

    @property
    def endpoint(self) -> str:
        """The URL that the catalog or clouds.yaml has for the service."""
        return str(self._proxy.get_endpoint() or "")

    def get(self, path: str, version: str, params: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        """GET; repeated a little where no answer came, or one of BUSY."""
        return _patiently(lambda: self._request("GET", path, version, params=params))

    def write(self, method: str, path: str, version: str, body: Optional[Any] = None) -> Dict[str, Any]:
        """POST, PUT or DELETE, once. ApiUnreachable: it may or may not have been carried out."""
        arguments = {} if body is None else {"json": body}
        return self._request(method, path, version, **arguments)

    def greatest_microversion(self) -> Tuple[int, int]:
        """The highest microversion that this endpoint offers; (0, 0) for one that does not say."""
        document = self.get("/", "")
        found = document.get("version") or (document.get("versions") or [{}])[0]
        offered = found.get("max_version") or found.get("version") or ""
        return microversion(offered) if offered else (0, 0)

    def _request(self, method: str, path: str, version: str, **arguments: Any) -> Dict[str, Any]:
        what = f"{self.service}: {method} {path}"
        try:
            # clouds.yaml may turn a cache on; what is read here decides over deletes.
            answer = self._proxy.request(
                path, method, raise_exc=False, microversion=version or None, skip_cache=True,
                connect_retries=0, status_code_retries=0, **arguments
            )
        except (ksa.ClientException, sdk.SDKException) as error:
            raise translated(what, error) from error
        if answer.status_code >= 300:
            raise _failure(what, answer)
        return _json(what, answer)


class JsonBody(Dict[str, Any]):
    """The body of an answer. What it ought to have and has not is ApiUnavailable: something else answered there."""

    def __init__(self, what: str, body: Mapping[str, Any]) -> None:
        super().__init__(body)
        self.what = what

    def __missing__(self, key: str) -> Any:
        raise ApiUnavailable(f"{self.what} was answered without {key!r}; check that the endpoint is the service's")


def connect(config: Config) -> Tuple[Api, Api]:
    """Log in as clouds.yaml says; return Nova's and Placement's Api.

    Raises ConfigurationError where clouds.yaml does not do, ApiFailure where Keystone does not answer or agree.
    """
    connection = _connection(config)
    _patiently(lambda: _log_in(connection, config))
    compute = _patiently(lambda: _proxy(connection, "compute"))
    placement = _patiently(lambda: _proxy(connection, "placement"))
    named = connection.config.auth.get("auth_url") or "", connection.config.get_region_name() or ""
    return Api("nova", compute, *named), Api("placement", placement, *named)


def _log_in(connection: Any, config: Config) -> None:
    what, where = f"keystone: log in to cloud {config.cloud}", _file(config)
    try:
        connection.session.get_token()  # Connection.authorize() hides the status of a refusal
        access = connection.session.auth.get_access(connection.session)
    except (ksa.BadRequest, ksa.NotFound) as error:
        raise ConfigurationError(
            f"{what} was refused with {error.http_status}: {_shortened(str(error))}. Check auth_url, username and "
            f"user_domain_name, project_name and project_domain_name in {where}"
        ) from error
    except (ksa.ClientException, sdk.SDKException) as error:
        if not _is_about_trust(error):
            raise translated(what, error) from error
        raise ConfigurationError(
            f"{what}: the certificate of auth_url is not trusted; set cacert to the CA's file for cloud {config.cloud} "
            f"in {where}. {_shortened(str(error))}"
        ) from error
    if not access.project_id and not access.system_scoped:
        raise ConfigurationError(
            f"{what} gave a token for no project; set project_name and project_domain_name in {where}"
        )


def _is_about_trust(error: Optional[BaseException]) -> bool:
    """Whether a certificate is the cause; discovery wraps that in an error of its own."""
    if error is None or isinstance(error, ksa.SSLError):
        return error is not None
    return _is_about_trust(error.__cause__ or error.__context__)


def _file(config: Config) -> str:
    return config.clouds_file or "clouds.yaml"


def _proxy(connection: Any, service: str) -> Any:
    try:
        return getattr(connection, service)  # asks the service for its versions
    except (ksa.ClientException, sdk.SDKException) as error:
        raise translated(f"{service}: its versions", error) from error
    except AttributeError as error:
        if "catalog_url" not in str(error):
            raise
        # How openstacksdk 4.0, the last for Python 3.8, meets an endpoint that does not answer.
        endpoint = connection.config.get_endpoint(service) or "of the catalog"
        raise ApiUnreachable(
            f"{service}: its endpoint {endpoint} gave no answer; check the network and the endpoint, then try again"
        ) from error


def _patiently(attempt: Callable[[], Value]) -> Value:
    """The result of something that may be repeated without harm; random pauses, so that many do not come at once."""
    retrying = Retrying(
        retry=retry_if_exception(_passes),
        stop=stop_after_attempt(READ_TRIES),
        wait=wait_random_exponential(multiplier=1, max=LONGEST_PAUSE),
        reraise=True,
    )
    return retrying(attempt)


def _passes(error: BaseException) -> bool:
    return isinstance(error, ApiUnreachable) or (isinstance(error, ApiUnavailable) and error.status in BUSY)


def _connection(config: Config) -> Any:
    files = None
    if config.clouds_file:
        _check_clouds_file(config.clouds_file, config.cloud)
        files = [config.clouds_file]
    try:
        # The environment of a StackStorm runner is not where operators expect credentials to come from.
        clouds = OpenStackConfig(config_files=files, secure_files=_secure_files(config), load_envvars=False)
        region = clouds.get_one(config.cloud, api_timeout=config.request_timeout)
        return openstack.connection.Connection(config=region, app_name="placement_recovery")
    except (ksa.ClientException, sdk.SDKException, ValueError, TypeError, AttributeError, KeyError) as error:
        # The last four are how openstacksdk meets values of a wrong type.
        raise ConfigurationError(
            f"cloud {config.cloud!r} of {_file(config)} cannot be used: {error}; see the options cloud and clouds_file"
        ) from error


def _check_clouds_file(path: str, cloud: str) -> None:
    """openstacksdk says no more than "not found" of a file that it cannot read. No word of the file is repeated."""
    try:
        with open(path, encoding="utf-8") as file:
            clouds = yaml.safe_load(file)
    except OSError as error:
        reason = error.strerror
        raise ConfigurationError(f"clouds_file {path} cannot be read ({reason}); check its path and owner") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"clouds_file {path} is no YAML{where}") from None
    for key in ("clouds", cloud):
        clouds = clouds.get(key) if isinstance(clouds, dict) else None
        if not isinstance(clouds, dict):
            raise ConfigurationError(
                f"clouds_file {path} has no cloud {cloud!r}: there is no mapping {key!r} in it; see option cloud"
            )


def _secure_files(config: Config) -> Optional[List[str]]:
    if not config.clouds_file:
        return None
    return [os.path.join(os.path.dirname(config.clouds_file), "secure.yaml")]


def translated(what: str, error: Exception) -> Exception:
    """What an exception of keystoneauth or openstacksdk means here."""
    status = getattr(error, "http_status", None) or getattr(error, "status_code", None)
    text = _shortened(str(error))
    if status in _HINTS:
        return ApiDenied(f"{what} was refused with {status}: {_HINTS[status]}. {text}", status)
    if isinstance(status, int) and status >= 500:
        return ApiUnavailable(f"{what} answered {status}; try again when it is back. {text}", status)
    if isinstance(error, (ksa.EndpointNotFound, ksa.CatalogException, ksa.MissingRequiredOptions, sdk.ConfigException)):
        return ConfigurationError(f"{what}: {text}; check region and interface in clouds.yaml, and the catalog")
    return ApiUnreachable(f"{what} got no answer: {text}; check the network and the endpoint, then try again")


def _failure(what: str, answer: Any) -> ApiFailure:
    status, detail, code = answer.status_code, *_explained(answer)
    if status in _HINTS:
        return ApiDenied(f"{what} answered {status}: {_HINTS[status]}. {detail}", status, code)
    if status >= 500:
        return ApiUnavailable(f"{what} answered {status}; try again when it is back. {detail}", status, code)
    kind = {404: ApiNotFound, 409: ApiConflict}.get(status, ApiRejected)
    return kind(f"{what} answered {status}: {detail}", status, code)


def _explained(answer: Any) -> Tuple[str, str]:
    """The detail and Placement's error code in the body of an error, whatever wrote it."""
    try:
        body = answer.json()
    except ValueError:
        return _shortened(re.sub(r"<[^>]*>", " ", answer.text)), ""
    if not isinstance(body, dict):
        return _shortened(str(body)), ""
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return _shortened(str(errors[0].get("detail", errors[0]))), str(errors[0].get("code", ""))
    for value in body.values():
        if isinstance(value, dict) and "message" in value:
            return _shortened(str(value["message"])), ""
    return _shortened(str(body)), ""


def _json(what: str, answer: Any) -> Dict[str, Any]:
    if not answer.content:
        return {}
    try:
        body = answer.json()
    except ValueError as error:
        text = _shortened(answer.text)
        raise ApiUnavailable(f"{what} answered {answer.status_code}, but not in JSON: {text}") from error
    if not isinstance(body, dict):
        raise ApiUnavailable(f"{what} answered {answer.status_code}, but with no JSON object: {_shortened(str(body))}")
    return JsonBody(what, body)


def _shortened(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= 300 else line[:297] + "..."
