"""Pages: their sizes, their cursors, and that all of them together are the whole list (L52, U14)."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.pleo.sandbox import EmbeddedPleo
from tests.adapters.pleo.sandbox.calls import entry_ids, pages, put_items, refusal

SEVERAL = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def items_path(job_id: str) -> str:
    return f"/v3/export-jobs/{job_id}/items"


def page(api: httpx.Client, path: str, **query: object) -> dict[str, object]:
    answer = api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@SEVERAL
@given(count=st.integers(0, 60), limit=st.one_of(st.none(), st.integers(1, 130)))
def test_all_pages_forwards_give_every_entry_once(
    pleo: EmbeddedPleo, api: httpx.Client, count: int, limit: int | None
) -> None:
    pleo.reset()
    job_id = pleo.create_job(count)
    query = {} if limit is None else {"limit": limit}
    for path, more in ((items_path(job_id), {}), ("/v3/export-items", {"job_id": job_id})):
        found = list(pages(api, path, {**query, **more}))
        size = limit or 20
        assert sorted(item["accountingEntryId"] for each in found for item in each) == sorted(
            entry_ids(pleo, job_id)
        )
        assert [len(each) for each in found[:-1]] == [size] * (len(found) - 1)
        assert len(found) == max(1, -(-count // size))


@SEVERAL
@given(count=st.integers(1, 40), limit=st.integers(1, 12))
def test_all_pages_backwards_give_the_same_list(
    pleo: EmbeddedPleo, api: httpx.Client, count: int, limit: int
) -> None:
    pleo.reset()
    job_id = pleo.create_job(count)
    last = page(api, items_path(job_id), offset=count - 1, limit=1)
    found = list(last["data"])
    while last["pagination"]["hasPreviousPage"]:
        last = page(api, items_path(job_id), before=last["pagination"]["startCursor"], limit=limit)
        assert len(last["data"]) <= limit
        assert last["pagination"]["hasNextPage"]
        found = [*last["data"], *found]
    assert [item["accountingEntryId"] for item in found] == entry_ids(pleo, job_id)


@SEVERAL
@given(count=st.integers(0, 40), offset=st.integers(0, 50), limit=st.integers(0, 20))
def test_an_offset_skips_and_the_page_says_what_lies_on_both_sides(
    pleo: EmbeddedPleo, api: httpx.Client, count: int, offset: int, limit: int
) -> None:
    pleo.reset()
    job_id = pleo.create_job(count)
    got = page(api, items_path(job_id), offset=offset, limit=limit)
    expected = entry_ids(pleo, job_id)[offset : offset + limit]
    pagination = got["pagination"]
    assert [item["accountingEntryId"] for item in got["data"]] == expected
    assert pagination["hasPreviousPage"] == (min(offset, count) > 0)
    assert pagination["hasNextPage"] == (offset + limit < count)
    assert pagination["total"] == count
    assert ("endCursor" in pagination) == bool(expected)


def test_the_default_page_is_small_and_a_large_limit_is_cut(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    job_id = pleo.create_job(150)
    assert len(page(api, items_path(job_id))["data"]) == 20
    assert len(page(api, items_path(job_id), limit=100)["data"]) == 100
    cut = page(api, items_path(job_id), limit=1000)
    assert len(cut["data"]) == 100 and cut["pagination"]["hasNextPage"]
    assert cut["pagination"]["currentRequestPagination"]["limit"] == 1000, "what was asked is echoed as asked"


@pytest.mark.parametrize("pair", [("after", "before"), ("after", "offset"), ("before", "offset")])
def test_after_before_and_offset_exclude_one_another(
    pleo: EmbeddedPleo, api: httpx.Client, pair: tuple[str, str]
) -> None:
    job_id = pleo.create_job(3)
    cursor = page(api, items_path(job_id), limit=1)["pagination"]["endCursor"]
    value = {"after": cursor, "before": cursor, "offset": "1"}
    both = {name: value[name] for name in pair}
    assert refusal(api.get(items_path(job_id), params=both)) == (400, "BAD_REQUEST")
    for name in pair:
        assert page(api, items_path(job_id), **{name: value[name]})


def test_a_cursor_of_another_list_is_refused(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    first, second = pleo.create_job(3), pleo.create_job(3, allow_second=True)
    cursor = page(api, items_path(first), limit=1)["pagination"]["endCursor"]
    lists = [(items_path(second), {}), ("/v3/export-items", {"job_id": first}), ("/v3/export-jobs", {})]
    for path, query in lists:
        answer = api.get(path, params={**query, "after": cursor})
        assert refusal(answer) == (400, "BAD_REQUEST"), path
    assert len(page(api, items_path(first), after=cursor)["data"]) == 2


@pytest.mark.parametrize("cursor", ["", "no cursor", "MFRGGZDF", "AAAA", "====", "é"])
def test_a_cursor_that_is_none_is_refused(pleo: EmbeddedPleo, api: httpx.Client, cursor: str) -> None:
    job_id = pleo.create_job(1)
    answer = api.get(items_path(job_id), params={"after": cursor})
    assert refusal(answer) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("limit", ["-1", "x", "1.5", "", "99999999999"])
def test_a_limit_that_is_no_count_is_refused(pleo: EmbeddedPleo, api: httpx.Client, limit: str) -> None:
    assert refusal(api.get("/v3/export-jobs", params={"limit": limit})) == (400, "BAD_REQUEST")


def test_a_cursor_stays_good_while_items_change_their_state(pleo: EmbeddedPleo, api: httpx.Client) -> None:
    # U16 leaves open what Pleo does; here no entry is lost between two pages of a filtered list.
    job_id = pleo.create_job(6, status="in_progress")
    ids = entry_ids(pleo, job_id)
    first = page(api, items_path(job_id), status="pending", limit=3)
    put_items(api, job_id, [{"accountingEntryId": each, "status": "successful"} for each in ids[:3]])
    rest = page(api, items_path(job_id), status="pending", limit=9, after=first["pagination"]["endCursor"])
    assert [item["accountingEntryId"] for item in rest["data"]] == ids[3:]
    assert rest["pagination"]["total"] == 3
