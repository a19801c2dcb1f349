from __future__ import annotations

from pathlib import Path

import pytest

from gateways.litellm import settings
from gateways.litellm.settings import Misconfigured, Settings

ENOUGH = {"TOKENS_BOT_URL": "https://bot.example.com/", "TOKENS_BOT_KEY": "tb_1", "TOKENS_BOT_JOURNAL": "/var/j.db"}


def test_three_settings_are_enough() -> None:
    """Ten minutes of grace, then calls pass; leases are on."""
    expected = Settings("https://bot.example.com", "tb_1", Path("/var/j.db"), 600, "pass", leases=True, patience=2)
    assert settings.load(ENOUGH) == expected


def test_everything_can_be_said() -> None:
    """Each setting reaches its field."""
    said = {"GRACE": "0", "ON_OUTAGE": "stop", "LEASES": "off", "PATIENCE": "0.5"}
    loaded = settings.load(ENOUGH | {f"TOKENS_BOT_{name}": value for name, value in said.items()})
    assert (loaded.grace, loaded.on_outage, loaded.leases, loaded.patience) == (0, "stop", False, 0.5)


@pytest.mark.parametrize("name", ENOUGH)
def test_what_is_missing_is_named(name: str) -> None:
    """The message has the variable and what it is for."""
    with pytest.raises(Misconfigured, match=f"{name} is not set: expected "):
        settings.load({one: value for one, value in ENOUGH.items() if one != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKENS_BOT_URL", "bot.example.com"),
        ("TOKENS_BOT_GRACE", "ten"),
        ("TOKENS_BOT_GRACE", "-1"),
        ("TOKENS_BOT_GRACE", "inf"),
        ("TOKENS_BOT_PATIENCE", "nan"),
        ("TOKENS_BOT_ON_OUTAGE", "panic"),
        ("TOKENS_BOT_LEASES", "maybe"),
    ],
)
def test_what_does_not_fit_is_named_with_its_value(name: str, value: str) -> None:
    """The message has the variable, what was expected, and what stood there."""
    with pytest.raises(Misconfigured, match=rf"{name}: expected .*, got '{value}'"):
        settings.load(ENOUGH | {name: value})
