"""A mistake in the settings is one sentence that names the variable (design, Configuration)."""

import os
from pathlib import Path

import pytest

from adapters.accounting.failures import FailureReporting
from adapters.environment import PREFIX, ConfigurationError, load_connection

GOOD = {
    "COMPANY_ID": "9b1f3f52-30c4-4d3e-8f0a-6b0f6ad2c901",
    "PLEO__BASE_URL": "http://127.0.0.1:1",
    "PLEO__API_KEY": "CANARY-key",
    "ACCOUNTING__SYSTEM": "fava",
    "ACCOUNTING__URL": "http://127.0.0.1:2/ledger/",
}


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def apply(**changes: str | None) -> None:
        for name, value in {**GOOD, **changes}.items():
            if value is None:
                monkeypatch.delenv(PREFIX + name, raising=False)
            else:
                monkeypatch.setenv(PREFIX + name, value)

    return apply


def complaint() -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_connection()
    text = str(caught.value)
    assert "\n" not in text
    assert "CANARY" not in text
    return text


def test_the_fixed_names_are_read(setting) -> None:
    setting(
        FAILURE_REPORTING="specific",
        CHECK_DEADLINE_SECONDS="5",
        VALIDATION_DEADLINE_SECONDS="7.5",
        ACCOUNTS__WALLET="Assets:Pleo",
        ACCOUNTS__OUT_OF_POCKET="Liabilities:Employees",
        ACCOUNTS__CONTRA="Assets:Contra",
        ACCOUNTS__FALLBACK_PAYABLES="Liabilities:Payables",
        POSTING="final",
        CLOSED_PERIOD="next_open",
        WITHOUT_RECEIPT="book",
        ACCOUNTING__USERNAME="clerk",
        ACCOUNTING__PASSWORD="CANARY-password",
    )
    connection = load_connection()
    assert str(connection.company_id) == GOOD["COMPANY_ID"]
    assert connection.pleo.api_key and connection.pleo.api_key.get_secret_value() == "CANARY-key"
    assert connection.failure_reporting is FailureReporting.SPECIFIC
    assert (connection.check_deadline_seconds, connection.validation_deadline_seconds) == (5, 7.5)
    assert connection.accounts.named()["wallet"] == "Assets:Pleo"
    assert (connection.posting, connection.closed_period, connection.without_receipt) == (
        "final",
        "next_open",
        "book",
    )
    assert "CANARY" not in repr(connection)
    assert "CANARY" not in connection.model_dump_json()


def test_defaults(setting) -> None:
    setting()
    connection = load_connection()
    assert connection.failure_reporting is FailureReporting.DOCUMENTED
    assert (connection.check_deadline_seconds, connection.validation_deadline_seconds) == (30, 120)
    assert (connection.posting, connection.closed_period, connection.without_receipt) == (
        "draft",
        "fail",
        "fail",
    )


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_setting_is_named_and_setting_it_mends_it(setting, name: str) -> None:
    setting(**{name: None})
    assert PREFIX + name in complaint()
    setting()
    load_connection()


def test_all_missing_settings_stand_in_one_sentence(setting) -> None:
    setting(COMPANY_ID=None, PLEO__BASE_URL=None)
    assert complaint().startswith("PLEO_EXPORT_COMPANY_ID and PLEO_EXPORT_PLEO__BASE_URL are not set")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"COMPANY_ID": "acme"}, "PLEO_EXPORT_COMPANY_ID is not valid"),
        ({"PLEO__BASE_URL": "ftp://x"}, "PLEO_EXPORT_PLEO__BASE_URL is not an address"),
        ({"PLEO__BASE_URL": "https://:443"}, "PLEO_EXPORT_PLEO__BASE_URL is not an address"),
        ({"PLEO__BASE_URL": "https://x:99999"}, "PLEO_EXPORT_PLEO__BASE_URL is not an address"),
        ({"PLEO__BASE_URL": "https://u:CANARY@x"}, "PLEO_EXPORT_PLEO__BASE_URL holds credentials"),
        ({"PLEO__BASE_URL": "https://x?y=CANARY"}, "PLEO_EXPORT_PLEO__BASE_URL must end before"),
        ({"PLEO__API_KEY": "CANARY\nkey"}, "PLEO_EXPORT_PLEO__API_KEY is empty or has characters"),
        ({"PLEO__API_KEY": "CANARY:"}, "PLEO_EXPORT_PLEO__API_KEY has a colon, which no API key has"),
        ({"PLEO__API_KEY": "CANARYé"}, "PLEO_EXPORT_PLEO__API_KEY is empty or has characters"),
        ({"PLEO__ACCESS_TOKEN": "CANARY2"}, "exactly one of PLEO_EXPORT_PLEO__API_KEY"),
        ({"PLEO__API_KEY": ""}, "exactly one of PLEO_EXPORT_PLEO__API_KEY"),
        ({"ACCOUNTING__SYSTEM": "ledger-x"}, "PLEO_EXPORT_ACCOUNTING__SYSTEM must be one of: "),
        ({"ACCOUNTING__PASWORD": "CANARY"}, "PLEO_EXPORT_ACCOUNTING__PASWORD is not a setting"),
        ({"FAILURE_REPORTING": "loud"}, "must be one of: documented or specific"),
        ({"CHECK_DEADLINE_SECONDS": "soon"}, "PLEO_EXPORT_CHECK_DEADLINE_SECONDS is not valid"),
        ({"CHECK_DEADLINE_SECONDS": "0"}, "PLEO_EXPORT_CHECK_DEADLINE_SECONDS is not valid"),
        ({"CHECK_DEADLINE_SECONDS": "inf"}, "PLEO_EXPORT_CHECK_DEADLINE_SECONDS is not valid"),
        ({"CHECK_DEADLINE_SECOND": "3"}, "did you mean PLEO_EXPORT_CHECK_DEADLINE_SECONDS?"),
        ({"PLEO": "{CANARY"}, "PLEO_EXPORT_PLEO is not valid JSON"),
        (
            {"PLEO__API_KEY": None, "PLEO__OAUTH__CLIENT_ID": "x"},
            "PLEO_EXPORT_PLEO__OAUTH__CLIENT_SECRET, PLEO_EXPORT_PLEO__OAUTH__REFRESH_TOKEN",
        ),
    ],
)
def test_a_malformed_setting_is_named(setting, changes: dict[str, str], says: str) -> None:
    setting(**changes)
    assert says in complaint()


def test_a_file_is_read_and_the_process_wins(setting, tmp_path: Path) -> None:
    setting(COMPANY_ID=None, FAILURE_REPORTING="specific")
    (tmp_path / ".env").write_text(
        f"PLEO_EXPORT_COMPANY_ID={GOOD['COMPANY_ID']}\nPLEO_EXPORT_FAILURE_REPORTING=documented\n"
    )
    connection = load_connection()
    assert str(connection.company_id) == GOOD["COMPANY_ID"]
    assert connection.failure_reporting is FailureReporting.SPECIFIC


def test_a_misspelt_name_in_the_file_is_found_too(setting, tmp_path: Path) -> None:
    setting()
    (tmp_path / ".env").write_text("PLEO_EXPORT_POSTNG=final\n")
    assert "PLEO_EXPORT_POSTNG is not a setting" in complaint()


def test_a_file_that_is_not_text_is_named(setting, tmp_path: Path) -> None:
    setting()
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00CANARY")
    assert ".env cannot be read" in complaint()
