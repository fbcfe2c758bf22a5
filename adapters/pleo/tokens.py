"""Durable storage for the pair of OAuth tokens, which Pleo replaces at every refresh (L8, U43).

Losing the newest refresh token costs the connection, so a pair is on the disk before it is used. The
file is encrypted with a key derived from the client secret: alone it opens nothing (L14).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, Field

_LOCK_POLL_SECONDS = 0.05


class TokenPair(BaseModel):
    """One access token with the refresh token that replaces it.

    Attributes:
        expires_at: Unix time at which the access token ends.
        renew_at: Unix time from which it is renewed ahead of its end (L7, U42).
        seed: fingerprint of the refresh token in the settings that this pair descends from.
        lost: the authorization has ended; the tokens are discarded and nobody asks again (L11).

    """

    access_token: str = Field(repr=False)
    refresh_token: str = Field(repr=False)
    expires_at: float
    renew_at: float
    seed: str
    lost: bool = False


def fingerprint(refresh_token: str) -> str:
    """Tell refresh tokens apart without keeping them: a new authorization outranks the stored pair."""
    return hashlib.sha256(refresh_token.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class TokenFile:
    """The stored pair of one connection, shared by all processes of this machine.

    Attributes:
        path: the file; a lock file stands beside it.
        client_secret: what the key is derived from.

    """

    path: Path
    client_secret: str

    def __repr__(self) -> str:
        return f"TokenFile({str(self.path)!r})"

    def load(self) -> TokenPair | None:
        """Read the stored pair; None if there is none, or if it was written under another client secret.

        Raises:
            OSError: the file exists but cannot be read.

        """
        try:
            sealed = self.path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return TokenPair.model_validate_json(self._key().decrypt(sealed))
        except (InvalidToken, ValueError):
            return None

    def store(self, pair: TokenPair) -> None:
        """Put the pair on the disk, all of it or nothing, before anyone uses it.

        Raises:
            OSError: it could not be written; the former pair is still there.

        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._key().encrypt(pair.model_dump_json().encode()))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def store_lost(self, seed: str) -> None:
        """Replace the tokens by the fact that their authorization has ended (L11)."""
        self.store(
            TokenPair(access_token="", refresh_token="", expires_at=0, renew_at=0, seed=seed, lost=True)
        )

    @contextlib.asynccontextmanager
    async def locked(self, deadline: float) -> AsyncIterator[None]:
        """Hold the connection's refresh lock, so that one refresh is in flight on this machine (L10).

        The operating system frees the lock of a process that dies.

        Raises:
            TimeoutError: another process held it for `deadline` seconds.

        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            async with asyncio.timeout(deadline):
                while True:
                    try:
                        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        await asyncio.sleep(_LOCK_POLL_SECONDS)
            yield
        finally:
            os.close(handle)

    def _key(self) -> Fernet:
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"pleo-export token file").derive(
            self.client_secret.encode()
        )
        return Fernet(base64.urlsafe_b64encode(derived))
