"""Connections saved in the tests' Prefect, and taken away again."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterName,
)
from prefect.client.schemas.objects import FlowRun

from adapters.pleo.sandbox.server import EmbeddedPleo
from flows.blocks import ExportConnectionBlock
from flows.connections import BLOCK_TYPE, saved_connections


async def save(name: str, pleo: EmbeddedPleo, accounting: dict[str, Any], **settings: Any) -> UUID:
    """Save a connection of a company of its own, and give the company's id."""
    company_id = settings.pop("company_id", None) or uuid4()
    block = ExportConnectionBlock.model_validate(
        {
            "company_id": company_id,
            "pleo": {
                "base_url": pleo.base_url,
                "api_key": settings.pop("api_key", pleo.api_key),
                "call_deadline_seconds": 3,
                "retry_seconds": 4,
            },
            "accounting": accounting,
            "accounts": {"out_of_pocket": "Liabilities:Employees"},
            "posting": "final",
            "validation_deadline_seconds": 1,
            **settings,
        }
    )
    await block.save(name, overwrite=True)
    return UUID(str(company_id))


async def spoil(name: str) -> None:
    """Take the company and Pleo's credentials out of a saved connection, as a half-filled form would."""
    async with get_client() as client:
        document = await client.read_block_document_by_name(name, BLOCK_TYPE)
        data = {**document.data, "pleo": {**document.data["pleo"], "api_key": None}}
        response = await client.request(
            "PATCH",
            "/block_documents/{id}",
            path_params={"id": document.id},
            json={"data": data, "merge_existing_data": False},
        )
        response.raise_for_status()


async def forget_all() -> None:
    async with get_client() as client:
        for each in await saved_connections():
            document = await client.read_block_document_by_name(each.name, BLOCK_TYPE)
            await client.delete_block_document(document.id)


async def runs_named(name: str) -> list[FlowRun]:
    async with get_client() as client:
        wanted = FlowRunFilter(name=FlowRunFilterName(any_=[name]))
        return list(await client.read_flow_runs(flow_run_filter=wanted))


async def tables(run: FlowRun) -> dict[str, str]:
    """Data of a run's artifacts by key."""
    async with get_client() as client:
        found = await client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
        )
    return {str(artifact.key): str(artifact.data) for artifact in found}
