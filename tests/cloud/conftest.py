"""The scripted cloud, and errors that are looked at for secrets."""

from __future__ import annotations

import traceback

import pytest

from placement_recovery.cloud.session import connect
from placement_recovery.config import Config
from testkit.web import PASSWORD, TOKEN, Web


@pytest.fixture
def web():
    """A cloud that answers what the test says."""
    with Web() as web:
        yield web


@pytest.fixture
def config(web, tmp_path):
    """The configuration for the scripted cloud; arguments are options, or (`cloud_options`) those of clouds.yaml."""

    def make(cloud_options=None, **options):
        path = tmp_path / "clouds.yaml"
        path.write_text(web.clouds_yaml(**(cloud_options or {})))
        usual = {"clouds_file": str(path), "cloud": "web", "request_timeout": 1}
        return Config.from_mapping({**usual, **options})

    return make


@pytest.fixture
def apis(config):
    """Log in; Nova's and Placement's Api."""

    def make(**options):
        return connect(config(**options))

    return make


@pytest.fixture
def raised():
    """Call, and return the error of this very class that it raises; no secret is in it or its trace."""

    def call(kind, function, *arguments):
        with pytest.raises(kind) as caught:
            function(*arguments)
        text = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
        assert caught.type is kind
        assert PASSWORD not in text
        assert TOKEN not in text
        return caught.value

    return call
