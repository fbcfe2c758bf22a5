"""The failure catalogue: what Pleo is told for each kind (V1-V12), and that every text is fit to be read."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.accounting.cautions import Caution, CautionKind
from adapters.accounting.failures import (
    CATALOGUE,
    PLEO_TEXT_LIMIT,
    Failure,
    FailureKind,
    FailureReporting,
    Resolution,
)
from tests.support.hostile import fit_to_be_read, hostile

# Written out once more, by hand, from the design's table: documented type, specific type, transience.
_UNREACHABLE = "accounting_system_unreachable"
LATER, PERSON, DEFECT = Resolution.RETRY_LATER, Resolution.PERSON, Resolution.DEFECT
EXPECTED = {
    "connection_refused": (_UNREACHABLE, _UNREACHABLE, LATER),
    "unknown_host": (_UNREACHABLE, _UNREACHABLE, LATER),
    "tls_failed": (_UNREACHABLE, _UNREACHABLE, LATER),
    "connection_lost": (_UNREACHABLE, _UNREACHABLE, LATER),
    "timed_out": (_UNREACHABLE, "accounting_system_timeout", LATER),
    "server_error": (_UNREACHABLE, _UNREACHABLE, LATER),
    "not_the_system": (_UNREACHABLE, _UNREACHABLE, PERSON),
    "wrong_address": (_UNREACHABLE, "invalid_configuration", PERSON),
    "throttled": (_UNREACHABLE, "accounting_system_rate_limit", LATER),
    "credentials_refused": (_UNREACHABLE, "accounting_system_authentication_failure", PERSON),
    "access_revoked": (_UNREACHABLE, "authorization_failure", PERSON),
    "read_only": (_UNREACHABLE, "validation_failure", PERSON),
    "locked": (_UNREACHABLE, "validation_failure", PERSON),
    "storage_not_writable": (_UNREACHABLE, "validation_failure", PERSON),
    "storage_missing": (_UNREACHABLE, "validation_failure", PERSON),
    "unusable_books": (_UNREACHABLE, "validation_failure", PERSON),
    "no_open_period": (_UNREACHABLE, "validation_failure", PERSON),
    "creation_not_allowed": (_UNREACHABLE, "authorization_failure", PERSON),
    "company_unknown": ("invalid_configuration", "invalid_configuration", PERSON),
    "vendor_bookkeeping_unsupported": ("invalid_configuration", "invalid_configuration", PERSON),
    "configuration_missing": ("missing_configuration", "missing_configuration", PERSON),
    "version_unsupported": (_UNREACHABLE, "invalid_configuration", PERSON),
    "database_silent": (_UNREACHABLE, "accounting_system_timeout", LATER),
    "books_company_unknown": ("invalid_configuration", "invalid_configuration", PERSON),
    "books_company_unnamed": ("invalid_configuration", "invalid_configuration", PERSON),
    "books_company_not_current": ("invalid_configuration", "invalid_configuration", PERSON),
    "defect": (_UNREACHABLE, "validation_failure", DEFECT),
    "pleo_unavailable": ("validation_failure", "validation_failure", LATER),
    "pleo_throttled": ("pleo_rate_limit", "pleo_rate_limit", LATER),
    "pleo_credentials_refused": ("validation_failure", "validation_failure", PERSON),
    "pleo_access_missing": ("validation_failure", "validation_failure", PERSON),
    "pleo_answer_unusable": ("validation_failure", "validation_failure", DEFECT),
    "pleo_request_refused": ("validation_failure", "validation_failure", DEFECT),
    "pleo_job_unknown": ("validation_failure", "validation_failure", PERSON),
    "pleo_contra_accounts_missing": ("missing_configuration", "missing_configuration", PERSON),
    "pleo_results_missing": ("validation_failure", "validation_failure", DEFECT),
    "pleo_time_short": ("service_timeout", "service_timeout", LATER),
    "pleo_token_file_unusable": ("validation_failure", "validation_failure", PERSON),
}

# Values of `failureReasonType` of jobs in Pleo's API that mean somebody else, or some other moment.
NEVER_SENT = {"authentication_failure", "service_unreachable", "job_expired", "canceled_by_user"}

FACTS = {
    name
    for row in CATALOGUE.values()
    for _, name, _, _ in string.Formatter().parse(row.cause + row.remedy)
    if name
}

facts = st.dictionaries(st.sampled_from(sorted(FACTS)) | st.text(max_size=5), hostile)
kinds = st.sampled_from(FailureKind)
LONGEST = dict.fromkeys(FACTS - {None}, "x" * 1000)


def test_each_kind_has_a_row() -> None:
    assert set(CATALOGUE) == set(FailureKind)
    assert {str(kind) for kind in FailureKind} == set(EXPECTED)


@pytest.mark.parametrize("kind", FailureKind)
def test_what_pleo_is_told(kind: FailureKind) -> None:
    documented, specific, resolution = EXPECTED[kind]
    failure = Failure(kind, {"system": "Fava"})
    assert failure.told_to_pleo(FailureReporting.DOCUMENTED).type == documented
    assert failure.told_to_pleo(FailureReporting.SPECIFIC).type == specific
    assert failure.row.resolution is resolution
    assert failure.row.transient is (resolution is LATER)
    assert failure.row.who


@pytest.mark.parametrize("kind", [kind for kind, row in EXPECTED.items() if row[0] == _UNREACHABLE])
def test_the_documented_text_is_sent_to_the_letter(kind: str) -> None:
    told = Failure(FailureKind(kind), {"system": "Fava", "user": "user clerk"}, "HTTP 502").told_to_pleo(
        FailureReporting.DOCUMENTED
    )
    assert tuple(told) == ("accounting_system_unreachable", "Failed to reach the Accounting System.")


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("reporting", FailureReporting)
def test_what_means_something_else_is_never_sent(kind: FailureKind, reporting: FailureReporting) -> None:
    assert Failure(kind).told_to_pleo(reporting).type not in NEVER_SENT


@pytest.mark.parametrize("kind", FailureKind)
def test_cause_and_remedy_are_told_in_the_specific_way(kind: FailureKind) -> None:
    failure = Failure(kind, {"system": "Fava"}, evidence="HTTP 418")
    told = failure.told_to_pleo(FailureReporting.SPECIFIC)
    assert told.text == f"{failure.cause} {failure.remedy}"
    assert "418" not in told.text


@pytest.mark.parametrize("kind", FailureKind)
def test_sentences_are_sentences_whatever_is_known(kind: FailureKind) -> None:
    for failure in (Failure(kind), Failure(kind, {"system": "Fava", "missing": "account A"})):
        for text in (failure.cause, failure.remedy):
            fit_to_be_read(text)
            assert text[0].isupper()
            assert text.endswith(".")
            assert not any(odd in text for odd in ("{", "}", "  ", " ,", " ."))
        assert failure.cause != failure.remedy


@given(kinds, facts, st.sampled_from(FailureReporting))
@example(FailureKind.STORAGE_MISSING, LONGEST, FailureReporting.SPECIFIC)
@example(FailureKind.STORAGE_NOT_WRITABLE, LONGEST, FailureReporting.SPECIFIC)
@example(FailureKind.CONFIGURATION_MISSING, LONGEST, FailureReporting.DOCUMENTED)
def test_a_text_for_pleo_is_short_plain_and_keeps_its_remedy(
    kind: FailureKind, facts: dict[str, str], reporting: FailureReporting
) -> None:
    failure = Failure(kind, facts)
    told = failure.told_to_pleo(reporting)
    fit_to_be_read(told.text)
    assert len(told.text) <= PLEO_TEXT_LIMIT
    if told.text == "Failed to reach the Accounting System.":
        return
    # The remedy is whole from its first words to its last; facts in it may have been cut.
    template = failure.row.remedy
    assert told.text.endswith(template[template.rfind("}") + 1 :])
    if "{" not in template:
        assert told.text.endswith(f" {template}")
    elif len(failure.remedy) <= PLEO_TEXT_LIMIT:
        assert told.text.endswith(failure.remedy)
    else:
        assert template[: template.find("{")] in told.text


@given(kinds, facts, hostile)
def test_facts_cannot_be_templates(kind: FailureKind, facts: dict[str, str], evidence: str) -> None:
    """Text from outside is shown as it is, never looked into: `{x}` stays `{x}`."""
    failure = Failure(kind, {**facts, "system": "{x}", "user": "{0.__class__}"}, evidence)
    for text, template in ((failure.cause, failure.row.cause), (failure.remedy, failure.row.remedy)):
        fit_to_be_read(text)
        assert text.count("{x}") >= template.count("{system}")
        assert text.count("{0.__class__}") >= template.count("{user}")


@given(st.sampled_from(CautionKind), facts)
def test_cautions_are_fit_to_be_read(kind: CautionKind, facts: dict[str, str]) -> None:
    for caution in (Caution(kind), Caution(kind, facts)):
        for text in (caution.cause, caution.remedy):
            fit_to_be_read(text)
            assert text.endswith(".")


def test_a_caution_says_what_it_knows() -> None:
    caution = Caution(CautionKind.BOOKS_HAVE_ERRORS, {"system": "Fava", "count": "3"})
    assert caution.cause == "Fava already shows 3 error(s) in these books; they do not keep new entries out."
    assert caution.remedy == "Have the errors in Fava looked at."
