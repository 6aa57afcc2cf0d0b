"""The pack's aliases."""

from __future__ import annotations

import pytest

from tests.aliases.chat import Chat


@pytest.fixture(scope="session")
def chat():
    """All of them."""
    return Chat()
