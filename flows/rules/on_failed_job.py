"""The choice that a person has for a job that is failed in Pleo already."""

from __future__ import annotations

from enum import StrEnum


class OnFailedJob(StrEnum):
    """What a run does when its job is failed in Pleo already.

    `report`: check the accounting system afresh and say how it stands; Pleo is sent nothing.
    `export_again`: the same, and if it is ready, export the job's entries again in a new job.
    """

    REPORT = "report"
    EXPORT_AGAIN = "export_again"
