"""Both layers of a job's items: that they agree, add up, and can be made odd on purpose (L51-L66)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.pleo.sandbox import EmbeddedPleo
from tests.adapters.pleo.sandbox.calls import REASON, entry_ids, export_items, refusal, send_event

CURRENCIES = ("inSupplierCurrency", "inWalletCurrency")
SEVERAL = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def in_order(pleo: EmbeddedPleo, api: httpx.Client, job_id: str) -> list[dict[str, Any]]:
    items = export_items(api, job_id)
    return [items[entry] for entry in entry_ids(pleo, job_id)]


@SEVERAL
@given(count=st.integers(1, 60), seed=st.integers(0, 2**32), vendors=st.booleans())
def test_lines_add_up_to_the_amount_in_both_currencies(
    pleo: EmbeddedPleo, api: httpx.Client, count: int, seed: int, vendors: bool
) -> None:
    # U31, and U32 for the net amounts: what Pleo's own data does has to be seen.
    pleo.reset()
    job_id = pleo.create_job(count, seed=seed, vendor_based_bookkeeping=vendors)
    for item in export_items(api, job_id).values():
        for currency in CURRENCIES:
            lines = item["accountingEntryLines"]
            assert (
                sum(line["lineAmount"][currency]["value"] for line in lines)
                == (item["amount"][currency]["value"])
            )
            for line in lines:
                tax = line["tax"]["amount"][currency]["value"] if line["tax"] else 0
                assert line["netAmount"][currency]["value"] + tax == line["lineAmount"][currency]["value"]
                assert {
                    each["currency"] for each in (line["lineAmount"][currency], item["amount"][currency])
                } == {item["amount"][currency]["currency"]}


def test_both_layers_have_the_same_entries_in_different_orders(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    job_id = pleo.create_job(60)
    data = list(export_items(api, job_id))
    assert sorted(data) == sorted(entry_ids(pleo, job_id))
    assert data != entry_ids(pleo, job_id), "a client must join on the id (L59), not on the place"
    assert len(set(data)) == 60 == pleo.job(job_id)["numberOfItems"]


def test_the_same_recipe_gives_the_same_bytes(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    def served(seed: int) -> bytes:
        pleo.reset()
        pleo.set_clock("2026-03-02T08:15:00Z")  # items lie in the days before the job
        job_id = pleo.create_job(40, seed=seed)
        answer = api.get("/v3/export-items", params={"job_id": job_id, "limit": 100})
        # Links are signed for the second of their fetch, and the pagination has cursors of the job.
        return re.sub(rb"\?expires=\d+&signature=[\w-]+", b"", answer.content.partition(b'"pagination"')[0])

    first = served(7)
    assert first.count(b"/_sandbox/files/") > 3 and served(7) == first
    assert served(8) != first


def test_the_layers_can_be_made_to_differ(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    # L66: what a client has to notice.
    job_id = pleo.create_job(5, missing_in_data=[2], extra_in_data=2)
    data, control = set(export_items(api, job_id)), entry_ids(pleo, job_id)
    assert set(control) - data == {control[1]}
    assert len(data - set(control)) == 2
    whole = pleo.create_job(5, allow_second=True)
    assert set(export_items(api, whole)) == set(entry_ids(pleo, whole))


def test_an_item_can_lack_its_account(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    items = in_order(pleo, api, pleo.create_job(3, without_account=[2]))  # L64, L65
    assert [item["accountingEntryLines"][0]["account"] is None for item in items] == [False, True, False]


def test_fields_can_be_replaced_by_number_or_by_a_list(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    mine = "7c3f5c0a-4a7e-4a57-8c64-2a1d5a0b9e01"
    items = in_order(pleo, api, pleo.create_job(3, overrides={"2": {"note": "Mine", "type": "a new one"}}))
    assert [item["note"] == "Mine" and item["type"] == "a new one" for item in items] == [False, True, False]
    pleo.reset()
    job_id = pleo.create_job([{"accountingEntryId": mine.upper()}, {"note": None, "new": 1}])
    first, second = in_order(pleo, api, job_id)
    assert (first["accountingEntryId"], second["note"], second["new"]) == (mine.upper(), None, 1)
    update = [{"accountingEntryId": mine, "status": "successful"}]
    assert api.put(f"/v3/export-jobs/{job_id}/items", json=update).json()["errors"] == []


def test_accounts_currency_types_and_contra_account_are_as_ordered(
    pleo: EmbeddedPleo, api: httpx.Client
) -> None:
    order = {"accounts": ["5800"], "currency": "DKK", "types": {"fee": 1, "mileage": 1}}
    items = in_order(pleo, api, pleo.create_job(30, contra_account="1942", **order))
    assert {item["type"] for item in items} == {"fee", "mileage"}
    assert {line["account"]["code"] for item in items for line in item["accountingEntryLines"]} == {"5800"}
    assert {item["amount"]["inWalletCurrency"]["currency"] for item in items} == {"DKK"}
    contra = {item["type"]: item["contraAccount"] for item in items}
    assert contra["fee"]["code"] == "1942" and contra["mileage"] is None
    pleo.reset()
    items = in_order(pleo, api, pleo.create_job(5, contra_account=None, types={"fee": 1}))
    assert {item["contraAccount"] for item in items} == {None}


def test_bookkeeping_is_null_without_vendors_and_payable_only_with_one(
    pleo: EmbeddedPleo, api: httpx.Client
) -> None:
    plain = in_order(pleo, api, pleo.create_job(40))
    assert {(item["bookkeeping"], item["vendor"]) for item in plain} == {(None, None)}  # L70
    pleo.reset()
    order = {"vendor_based_bookkeeping": True, "types": {"card_purchase": 3, "wallet_topup": 1}}
    tagged = in_order(pleo, api, pleo.create_job(40, **order))
    methods = {(item["bookkeeping"]["method"], item["vendor"] is None) for item in tagged}
    assert methods == {("accounts_payable", False), ("journal", True)}
    assert {item["bookkeeping"]["method"] for item in tagged if item["type"] == "wallet_topup"} == {"journal"}


@pytest.mark.parametrize("event", ["completed", "completed_with_errors", "failed"])
def test_the_data_layer_is_served_until_the_end(pleo: EmbeddedPleo, api: httpx.Client, event: str) -> None:
    job_id = pleo.create_job(2)
    assert len(export_items(api, job_id)) == 2
    send_event(api, job_id, "started")
    assert len(export_items(api, job_id)) == 2
    send_event(api, job_id, event, **(REASON if event == "failed" else {}))
    ended = api.get("/v3/export-items", params={"job_id": job_id})
    assert refusal(ended) == (422, "EXPORT_JOB_STATUS_UNPROCESSABLE")
    assert api.get(f"/v3/export-jobs/{job_id}/items").status_code == 200, "the control layer stays readable"
    assert len(export_items(api, pleo.create_job(2))) == 2


def test_export_items_without_a_job_are_not_found(api: httpx.Client) -> None:
    assert refusal(api.get("/v3/export-items")) == (404, "EXPORT_NOT_FOUND")  # U17


def test_items_lie_in_the_sixty_days_before_their_job(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    pleo.set_clock("2026-03-02T08:15:00Z")
    dates = sorted(item["date"] for item in export_items(api, pleo.create_job(60)).values())
    assert dates[0] >= "2026-01-01T08:15:00Z" and dates[-1] < "2026-03-02T08:15:00Z"
    assert all(earlier <= later for earlier, later in pairwise(dates)) and len(set(dates)) > 50


def test_a_job_made_through_the_api_has_the_entries_asked_for(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    wanted = ["7C3F5C0A-4a7e-4a57-8c64-2a1d5a0b9e01", "2f4b1e3d-9c0a-4f55-b0a6-0d5d1b7c3e02"]
    order = {"companyId": pleo.company_id, "accountingEntryIds": [*wanted, wanted[0]], "isInteractive": False}
    job = api.post("/v3/export-jobs", json=order).json()["data"]
    assert (job["numberOfItems"], job["isInteractive"], job["createdBy"]) == (2, False, None)
    assert set(export_items(api, job["id"])) == {each.lower() for each in wanted}
