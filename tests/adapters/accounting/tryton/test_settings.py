"""What the configuration of a Tryton may hold, and what is said of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.accounting.registry import registered
from adapters.accounting.tryton.adapter import TrytonSettings, TrytonSystem
from adapters.environment import ConfigurationError, load_connection

PREFIX = "PLEO_EXPORT_ACCOUNTING__"
KEY = "key-that-nobody-may-see"
GOOD = {
    "SYSTEM": "tryton",
    "URL": "https://tryton.example",
    "DATABASE": "books",
    "APPLICATION_KEY": KEY,
    "JOURNAL": "EXP",
}


def load(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> TrytonSettings:
    monkeypatch.setenv("PLEO_EXPORT_COMPANY_ID", "0b6c6c8e-7f0e-4b0a-9d6e-0d6f3c1b2a10")
    monkeypatch.setenv("PLEO_EXPORT_PLEO__BASE_URL", "https://pleo.example")
    monkeypatch.setenv("PLEO_EXPORT_PLEO__API_KEY", "some-key")
    for name, value in {**GOOD, **changes}.items():
        if value is None:
            monkeypatch.delenv(PREFIX + name, raising=False)
        else:
            monkeypatch.setenv(PREFIX + name, value)
    settings = load_connection(env_file=None).accounting
    assert isinstance(settings, TrytonSettings)
    return settings


def test_the_adapter_is_registered_under_its_name() -> None:
    assert registered()["tryton"] is TrytonSystem


def test_all_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, COMPANY="Acme GmbH", JOURNAL="BNK/1")
    assert settings.database == "books"
    assert settings.journal == "BNK/1"
    assert settings.company == "Acme GmbH"
    assert settings.application_key.get_secret_value() == KEY
    assert KEY not in f"{settings!r} {settings.model_dump_json()}"


def test_the_company_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).company is None


@pytest.mark.parametrize("name", ["URL", "DATABASE", "APPLICATION_KEY", "JOURNAL"])
def test_a_missing_setting_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{PREFIX}{name} is not set; set it"):
        load(monkeypatch, **{name: None})
    assert load(monkeypatch)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "tryton.example"),
        ("URL", "https://clerk:secret@tryton.example"),
        ("DATABASE", "a/b"),
        ("DATABASE", ".."),
        ("DATABASE", " books"),
        ("APPLICATION_KEY", "two words\n"),
        ("JOURNAL", "EXP "),
        ("COMPANY", " Acme"),
    ],
)
def test_a_malformed_setting_is_named_and_not_repeated(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{PREFIX}{name} ") as caught:
        load(monkeypatch, **{name: value})
    assert value not in str(caught.value)
    assert load(monkeypatch, **{name: GOOD.get(name)})


def test_a_setting_of_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=f"^{PREFIX}USERNAME is not a setting"):
        load(monkeypatch, USERNAME="clerk")


def test_the_adapter_needs_no_tryton_installed() -> None:
    folder = Path(__file__).parents[4] / "adapters" / "accounting" / "tryton"
    texts = [path.read_text() for path in folder.glob("*.py")]
    assert texts
    assert not any(
        f"{word} {name}" in text
        for text in texts
        for word in ("import", "from")
        for name in ("trytond", "psycopg")
    )
