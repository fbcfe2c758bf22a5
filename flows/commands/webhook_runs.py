"""Starting runs of the deployment, once for a job, whoever asks and however often."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from adapters.environment import ConfigurationError
from adapters.pleo.webhooks.company import ServedCompany
from adapters.pleo.webhooks.events import CreatedJob


class DeploymentRuns:
    """Creates runs of one deployment; Prefect gives the same run for the same job, across restarts too."""

    def __init__(self, client: PrefectClient, deployment: str) -> None:
        self._client = client
        self._deployment = deployment
        self._id: UUID | None = None

    async def find(self) -> UUID:
        """Give the id of the deployment.

        Raises:
            ConfigurationError: there is none of that name.

        """
        if self._id is None:
            try:
                self._id = (await self._client.read_deployment_by_name(self._deployment)).id
            except (ObjectNotFound, ValueError):
                raise ConfigurationError(
                    f"Prefect has no deployment {self._deployment!r}: deploy it with `prefect deploy --all`, "
                    "or name another one with --deployment."
                ) from None
        return self._id

    async def start(self, company: ServedCompany, job: CreatedJob) -> None:
        """Create the run of a job, or find the one that there is.

        The company is part of the key: who may sign for one company cannot use up the key of another's job.

        Raises:
            ConfigurationError: the deployment is gone.
            Exception: anything of Prefect's client; whether a run was created is then unknown.

        """
        parameters: dict[str, Any] = {"job_id": str(job.id)}
        if company.connection is not None:
            parameters["connection"] = company.connection
        try:
            await self._create(parameters, company, job)
        except PrefectHTTPStatusError as error:
            if error.response.status_code != 404:
                raise
            self._id = None  # the deployment was deleted, perhaps to be made anew under another id
            await self._create(parameters, company, job)

    async def _create(self, parameters: dict[str, Any], company: ServedCompany, job: CreatedJob) -> None:
        try:
            deployment = await self.find()
        except ConfigurationError as error:
            logging.getLogger("pleo_export.webhook").error("%s", error)
            raise
        await self._client.create_flow_run_from_deployment(
            deployment,
            parameters=parameters,
            tags=[f"company:{company.connection or company.company_id}"],
            idempotency_key=f"pleo-export-webhook-{job.company_id}-{job.id}",
        )
