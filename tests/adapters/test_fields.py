"""Settings refuse what cannot work, and repeat neither a secret nor what was given."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from adapters.accounting.fava.adapter import FavaSettings
from adapters.fields import Address, OptionalSecret, Seconds, SettingsPart

CANARY = "CANARY-3c20"


class Sample(SettingsPart):
    address: Address = "http://books.example"
    secret: OptionalSecret = None
    seconds: Seconds = 1


def complaint(model: type[SettingsPart] = Sample, **given: object) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)
    text = str(caught.value)
    assert CANARY not in text
    assert CANARY not in repr(caught.value)
    return text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://books.example", "https://books.example"),
        ("https://books.example/", "https://books.example"),
        ("http://127.0.0.1:5000/books//", "http://127.0.0.1:5000/books"),
        ("HTTP://books.example/a%20b", "HTTP://books.example/a%20b"),
        ("http://[::1]:5000/x", "http://[::1]:5000/x"),
    ],
)
def test_an_address_is_kept_without_its_last_slash(given: str, kept: str) -> None:
    assert Sample(address=given).address == kept


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "is not an address"),
        ("books.example", "is not an address"),
        ("ftp://books.example", "is not an address"),
        ("https://", "is not an address"),
        ("https://:443", "is not an address"),
        (f"https://books.example:{CANARY}", "is not an address"),
        ("https://books.example:99999", "is not an address"),
        ("https://books example", "is not an address"),
        ("https://books.example/a\nb", "is not an address"),
        ("https://[::1", "is not an address"),
        (f"https://clerk:{CANARY}@books.example", "holds credentials"),
        (f"https://{CANARY}@books.example", "holds credentials"),
        (f"https://books.example?token={CANARY}", "must end before any '?' or '#'"),
        (f"https://books.example#{CANARY}", "must end before any '?' or '#'"),
    ],
)
def test_an_address_that_cannot_work_is_refused(address: str, says: str) -> None:
    assert says in complaint(address=address)


@pytest.mark.parametrize("secret", ["", " ", f"{CANARY} ", f"{CANARY}\n", f"{CANARY}é", f"\x7f{CANARY}"])
def test_a_secret_that_cannot_travel_in_a_header_is_refused(secret: str) -> None:
    assert "paste it again" in complaint(secret=secret)


def test_a_secret_is_not_shown() -> None:
    sample = Sample.model_validate({"secret": CANARY})
    for text in (repr(sample), str(sample), sample.model_dump_json(), repr(sample.model_dump())):
        assert CANARY not in text
    assert sample.secret and sample.secret.get_secret_value() == CANARY


@pytest.mark.parametrize("seconds", [0, -1, 3601, "inf", "nan", "soon"])
def test_a_duration_has_an_end(seconds: object) -> None:
    assert "seconds" in complaint(seconds=seconds)


def test_settings_cannot_be_changed_or_invented() -> None:
    assert "Extra inputs" in complaint(sceret=CANARY)
    with pytest.raises(ValidationError):
        Sample().seconds = 2  # type: ignore[misc]


FAVA = {"system": "fava", "url": "http://books.example"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"username": "clerk"}, "is not set although PLEO_EXPORT_ACCOUNTING__USERNAME is"),
        ({"password": CANARY}, "is set without PLEO_EXPORT_ACCOUNTING__USERNAME"),
        ({"username": f"{CANARY}:x", "password": CANARY}, "a colon is one of them"),
        ({"username": "", "password": CANARY}, "is empty"),
        ({"username": f"{CANARY} ", "password": CANARY}, "has characters that no user name has"),
        ({"username": f"{CANARY}\n", "password": CANARY}, "has characters that no user name has"),
        ({"username": "clerk", "password": ""}, "paste it again"),
        ({"system": "tryton"}, "fava"),
    ],
)
def test_half_of_favas_credentials_is_refused(given: dict[str, str], says: str) -> None:
    assert says in complaint(FavaSettings, **{**FAVA, **given})


def test_both_or_none_of_favas_credentials_are_taken() -> None:
    assert FavaSettings.model_validate(FAVA).password is None
    both = FavaSettings.model_validate({**FAVA, "username": "clerk", "password": CANARY})
    assert both.password and both.password.get_secret_value() == CANARY
    assert CANARY not in repr(both)
