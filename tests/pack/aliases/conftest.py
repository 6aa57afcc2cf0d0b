"""The pack's aliases."""

from __future__ import annotations

import pytest

from testkit.chat import Chat


@pytest.fixture(scope="session")
def chat():
    """All of them."""
    return Chat()
