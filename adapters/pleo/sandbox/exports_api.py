"""The Export API v3: jobs, their events, and both layers of their items."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .call import Answer, Call, json_answer, page_answer
from .clock import as_text
from .jobs import ExportJob
from .layers import find_state, serialise
from .paging import render_page
from .receipts import sign_links
from .recipe import Recipe
from .refusals import Refusal, job_has_ended, no_such_entry, no_such_job
from .schemas import Json
from .world import NewJob, World


def list_export_jobs(world: World, call: Call) -> Answer:
    """List jobs, newest first: no order is promised, so clients must sort themselves (U15, L37)."""
    request = call.page_request("jobs", world.settings)
    company, statuses = call.query.get("company_id"), set(call.query.get("statuses", ()))
    chosen = {
        -job.number: job
        for job in world.newest_first()
        if (company is None or job.company_id == company.lower()) and (not statuses or job.status in statuses)
    }

    def entries(positions: Sequence[int]) -> list[bytes]:
        return [serialise(chosen[position].describe()) for position in positions]

    return page_answer(render_page(request, list(chosen), entries))


def create_export_job(world: World, call: Call) -> Answer:
    """Make a job of the given entries, whatever they are; another company is 403, a second job 409 (L23)."""
    body = call.body
    company = body["companyId"].lower()
    if company not in world.companies:
        raise Refusal(403, "FORBIDDEN", "The credential does not grant access to this company.")
    entry_ids = tuple(dict.fromkeys(entry_id.lower() for entry_id in body["accountingEntryIds"]))
    recipe = Recipe(
        items=len(entry_ids),
        seed=len(world.jobs) + 1,
        accounts=world.settings.expense_accounts,
        contra_account=world.settings.contra_account,
        entry_ids=entry_ids,
    )
    interactive = body.get("isInteractive")
    new = NewJob(
        company_id=company,
        vendor_based=bool((body.get("options") or {}).get("vendorBasedBookkeeping")),
        interactive=True if interactive is None else interactive,
        created_by=body.get("employeeId"),
    )
    job = world.create_job(new, recipe)
    world.announce(job)
    return json_answer(201, {"data": job.describe()})


def get_export_job(world: World, call: Call) -> Answer:
    """Read one job; an unknown one is 404."""
    return json_answer(200, {"data": world.job(call.path["jobId"]).describe()})


def list_export_job_items(world: World, call: Call) -> Answer:
    """Read a page of the control layer (L51, L52)."""
    job = world.job(call.path["jobId"])
    request = call.page_request(f"items-{job.id[:8]}", world.settings)
    positions = job.control.positions(call.query.get("status"))
    return page_answer(render_page(request, positions, job.control.render))


def update_export_job_items(world: World, call: Call) -> Answer:
    """Take item results; refused ones come back in `errors` of a 200 (L87-L94)."""
    job = world.job(call.path["jobId"])
    accepted, errors = job.update_items(call.body, call.now)
    world.job_changed(job)
    body = b'{"data":[' + b",".join(job.control.render(accepted)) + b'],"errors":'
    return page_answer(body + json.dumps(errors).encode() + b"}")


def list_export_items(world: World, call: Call) -> Answer:
    """Read a page of the data layer while the job is unfinished (L58-L63); without a job, 404 (U17)."""
    if "job_id" not in call.query:
        raise no_such_job()
    job = world.job(call.query["job_id"])
    if not job.unfinished:
        raise job_has_ended()
    request = call.page_request(f"data-{job.id[:8]}", world.settings)
    page = render_page(request, job.data.positions, job.data.render)
    return page_answer(sign_links(page, call.origin, world.link_key, call.now))


def create_export_job_event(world: World, call: Call) -> Answer:
    """Take an event: 202 with no body, or 422 (L18-L22). Every event is noted with its answer."""
    job = world.job(call.body["jobId"])
    note: Json = {name: call.body[name] for name in call.body if name != "jobId"}
    note |= {"at": as_text(call.now), "before": job.status, "answer": 202}
    job.events.append(note)
    world.changed = True
    try:
        job.receive(call.body, call.now)
    except Refusal as refusal:
        note["answer"] = refusal.status
        raise
    world.job_changed(job)
    return Answer(202)


def get_export_job_item_by_entry(world: World, call: Call) -> Answer:
    """Find the item of an entry in the newest job that has it (hidden operation)."""
    found = _find(world, call, call.query.get("accounting_entry_id", ""))
    if found is None:
        raise no_such_entry()
    return json_answer(200, {"data": json.loads(found[1])})


def search_export_job_items(world: World, call: Call) -> Answer:
    """Find the items of several entries (internal operation), in the order they were asked for."""
    request = call.page_request("search", world.settings)
    wanted = call.body.get("status")
    found = [_find(world, call, entry_id) for entry_id in dict.fromkeys(call.body["accountingEntryIds"])]
    written = [
        item for each in found if each is not None for status, item in [each] if wanted in {None, status}
    ]
    return page_answer(
        render_page(request, range(len(written)), lambda positions: [written[each] for each in positions])
    )


def _find(world: World, call: Call, entry_id: str) -> tuple[str, bytes] | None:
    """Give state and serialised item of an entry, from the newest job of the wanted company that has it."""
    company = call.query.get("company_id")

    def wanted(job: ExportJob) -> bool:
        return company is None or job.company_id == company.lower()

    layers = (job.control for job in world.newest_first() if wanted(job))
    found = find_state(layers, entry_id.lower())
    if found is None:
        return None
    layer, position = found
    return layer.state(position).status, layer.render([position])[0]
