"""No answer is outside the contract, whatever is asked: schemathesis makes up the calls."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, checks

from adapters.pleo.sandbox import EmbeddedPleo
from adapters.pleo.sandbox.api import HANDLERS
from adapters.pleo.sandbox.contract import DOCUMENT, load_contract
from tests.adapters.pleo.sandbox.furnished import HOOK, Known, furnish, put_real_ids

SCHEMA = schemathesis.openapi.from_path(DOCUMENT)
# A refusal may say 413 as well: that is the documented answer to more than 100 updates (L87).
SCHEMA.config.checks.negative_data_rejection.expected_statuses = ["400", "404", "413", "422"]
OPERATIONS = {
    operation.definition.raw["operationId"]: operation
    for operation in (each.ok() for each in SCHEMA.get_all_operations())
}
WITH_INPUT = sorted(
    name
    for name, operation in OPERATIONS.items()
    if "requestBody" in operation.definition.raw or operation.definition.raw.get("parameters")
)
WITH_BODY = sorted(
    name for name, operation in OPERATIONS.items() if "requestBody" in operation.definition.raw
)
EXCHANGE = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
MADE_UP = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def good_body(name: str, known: Known) -> Any:
    """Give a body that an operation takes, for those whose made-up ones are mostly refused."""
    return {
        "createExportJob": {"companyId": known.companies[0], "accountingEntryIds": known.entries[:1]},
        "createExportJobEvent": {"jobId": known.jobs[0], "event": "started"},
        "updateExportJobItems": [{"accountingEntryId": known.entries[0], "status": "successful"}],
        "searchExportJobItems": {"accountingEntryIds": known.entries[:1]},
        "createSubscription": HOOK,
        "updateSubscription": HOOK,
        "createMyInstallation": {},
        "updateMyInstallation": {"status": "ACTIVATED"},
    }.get(name)


@pytest.fixture
def session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def test_every_operation_of_the_contract_has_a_handler_and_no_handler_is_for_another() -> None:
    assert set(HANDLERS) == {operation.name for operation in load_contract().operations} == set(OPERATIONS)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_good_call_succeeds_within_the_contract(
    pleo: EmbeddedPleo, api: httpx.Client, session: requests.Session, name: str
) -> None:
    session.auth = (pleo.api_key, "")
    known = furnish(pleo, api, busy=name != "createExportJob")
    query = {
        "listExportItems": {"job_id": known.jobs[0]},
        "getExportJobItemByEntry": {"accounting_entry_id": known.entries[0]},
    }
    body = {"body": good_body(name, known)} if name in WITH_BODY else {}
    case = OPERATIONS[name].Case(path_parameters=_path(known), query=query.get(name, {}), **body)
    answer = case.call_and_validate(pleo.base_url, session, checks=EXCHANGE)
    assert 200 <= answer.status_code < 300
    assert pleo.requests(operation=name), "the call went to another operation"


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("name", WITH_INPUT)
def test_whatever_is_asked_the_answer_is_within_the_contract(
    pleo: EmbeddedPleo, api: httpx.Client, session: requests.Session, name: str, mode: GenerationMode
) -> None:
    session.auth = (pleo.api_key, "")
    calls = OPERATIONS[name].as_strategy(mode)

    @MADE_UP
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        known = furnish(pleo, api, busy=data.draw(st.booleans()))
        case = data.draw(calls)
        if data.draw(st.integers(0, 3)):
            put_real_ids(case, known, data.draw)
        case.call_and_validate(pleo.base_url, session, checks=EXCHANGE)

    ask()
    assert pleo.requests(), "nothing was asked"


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_body_that_breaks_the_contract_is_refused(
    pleo: EmbeddedPleo, api: httpx.Client, session: requests.Session, name: str
) -> None:
    session.auth = (pleo.api_key, "")
    known = furnish(pleo, api, busy=True)
    path = _path(known)
    named = {each: path[each] for each in path if f"{{{each}}}" in OPERATIONS[name].path}
    calls = OPERATIONS[name].as_strategy(GenerationMode.NEGATIVE, path_parameters=named, query={})

    @MADE_UP
    @given(case=calls)
    def ask(case: Case) -> None:
        case.call_and_validate(pleo.base_url, session, checks=[*EXCHANGE, checks.negative_data_rejection])

    ask()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_without_a_credential_every_operation_is_401(
    pleo: EmbeddedPleo, api: httpx.Client, session: requests.Session, name: str
) -> None:
    known = furnish(pleo, api, busy=True)
    case = OPERATIONS[name].Case(path_parameters=_path(known))
    assert case.call(pleo.base_url, session).status_code == 401
    case.call_and_validate(pleo.base_url, session, checks=EXCHANGE)


def _path(known: Known) -> dict[str, str]:
    return {"jobId": known.jobs[0], "id": known.subscriptions[0]}
