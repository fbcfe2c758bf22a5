"""The embedded Pleo: serves Pleo's contract over real HTTP, without a Pleo account.

It obeys the contract (`adapters/pleo/openapi.yaml`) and knows nothing of this product's own client. See
`docs/sandbox.md`.
"""

from .refusals import Refusal
from .server import EmbeddedPleo, SandboxNotStarted, serve
from .settings import SandboxSettings
from .state_file import UnusableStateFile

__all__ = ["EmbeddedPleo", "Refusal", "SandboxNotStarted", "SandboxSettings", "UnusableStateFile", "serve"]
