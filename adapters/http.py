"""The one place that builds an httpx client: deadlines, a cap on bodies, no redirects, typed faults.

Rules of the house 1 and 2: httpx's own time-outs do not end a slow drip, so every request runs under
`asyncio.timeout` as well; bodies are counted *after* decompression; a redirect is an answer, not a
detour; answers are parsed with pydantic from bytes. A refusal that
repeats our credentials loses them here.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import functools
import ssl
import time
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from adapters.credentials import without_credentials
from adapters.faults import Fault, HttpFault, faults_of_httpx

T = TypeVar("T")

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Decoded bytes of one answer that are accepted; a page of 100 export items has about 0.2 MB."""

_REFUSAL_BYTES = 64 * 1024
"""Bytes of a refusal that are kept: a sentence or two."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer whose body stayed below the cap."""

    status: int
    headers: httpx.Headers
    body: bytes

    def parse(self, adapter: TypeAdapter[T]) -> T:
        """Read the body as the given type.

        Raises:
            HttpFault: `NOT_JSON` or `WRONG_SHAPE`.

        """
        try:
            return adapter.validate_json(self.body)
        except ValidationError as error:
            not_json = error.errors(include_input=False, include_url=False)[0]["type"] == "json_invalid"
            raise HttpFault(Fault.NOT_JSON if not_json else Fault.WRONG_SHAPE, status=self.status) from None

    def expect_success(self) -> Self:
        """Return the answer if its status is 2xx.

        Raises:
            HttpFault: `REDIRECT` for 3xx, `STATUS` otherwise, with the wait that the server asked for.

        """
        if 200 <= self.status < 300:
            return self
        fault = Fault.REDIRECT if 300 <= self.status < 400 else Fault.STATUS
        raise HttpFault(fault, status=self.status, retry_after=retry_after_seconds(self.headers))


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes out as part of a form, read from the disk while it is sent.

    Attributes:
        name: file name that the server is told.
        path: where it lies.
        media_type: such as `application/pdf`.

    """

    name: str
    path: Path
    media_type: str

    def opened(self, until: contextlib.ExitStack) -> tuple[str, IO[bytes], str]:
        """Open it, in httpx's form, until the stack is left."""
        return self.name, until.enter_context(self.path.open("rb")), self.media_type


class _NotWritten(Exception):
    """A piece of a download could not be written; `error` says why. Keeps the disk apart from the wire."""

    def __init__(self, error: OSError) -> None:
        self.error = error
        super().__init__()


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds of a `Retry-After` header in either of its forms (seconds, HTTP date); None if unusable."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = email.utils.parsedate_to_datetime(value)
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):  # the last one for a year of twenty digits
        return None


def can_be_requested(url: str) -> bool:
    """Whether httpx accepts the URL at all; it can raise outside `httpx.HTTPError` for one it does not."""
    try:
        return bool(httpx.URL(url).host) and not any(character.isspace() for character in url)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return False


class HttpClient:
    """An httpx client bound to one server, on which every request has a deadline and an end.

    Args:
        base_url: address that every path is appended to.
        deadline: seconds for one request, from the first byte sent to the last byte read.
        headers: sent with every request.
        basic: user name and password of Basic credentials, sent with every request.
        max_body_bytes: decoded bytes of one answer that are accepted.

    Raises:
        HttpFault: `BAD_ADDRESS`, if httpx cannot use the address.

    """

    def __init__(
        self,
        base_url: str,
        *,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._deadline = deadline
        self._max_body_bytes = max_body_bytes
        with faults_of_httpx():
            self._client = httpx.AsyncClient(
                base_url=base_url,
                auth=httpx.BasicAuth(*basic) if basic else None,
                headers={"accept": "application/json", "accept-encoding": "gzip", **(headers or {})},
                timeout=deadline,
                follow_redirects=False,
                verify=_tls() if base_url.lower().startswith("https") else False,
            )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | list[str]] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, Upload] | None = None,
        content: AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
    ) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        With `files`, the body is `multipart/form-data` of `form` and these files, which are never held in
        memory as a whole.
        `content` is sent as it is read, never held as a whole; `headers` should then say its length.

        Raises:
            HttpFault: no complete answer within the deadline and the cap.
            OSError: one of the files cannot be opened; nothing was sent.

        """
        limit = self._deadline if deadline is None else min(deadline, self._deadline)
        with contextlib.ExitStack() as stack:
            opened = {field: upload.opened(stack) for field, upload in (files or {}).items()}
            stack.enter_context(faults_of_httpx())
            async with asyncio.timeout(limit):
                request = self._client.build_request(
                    method,
                    path,
                    params=params,
                    json=json,
                    data=form,
                    files=opened or None,
                    content=content,
                    headers=headers,
                )
                answer = await self._client.send(request, stream=True)
                try:
                    body = await self._read(answer)
                finally:
                    await answer.aclose()
        if not answer.is_success:  # an error page may repeat the request; what succeeds is left as it is
            body = without_credentials(body[:_REFUSAL_BYTES], request.headers.get("authorization"))
        return Answer(answer.status_code, answer.headers, body)

    async def download(
        self, url: str, target: Path, *, never: Collection[str] = (), deadline: float | None = None
    ) -> int:
        """Stream the body of one GET into a file and give its size in bytes.

        `url` may be an absolute one. An answer of one of the media types `never` is not the file but a page
        about it. After a fault the file's content is of no use.

        Raises:
            HttpFault: no complete answer within the deadline and the cap, or not a success.
            OSError: the file cannot be written.

        """
        try:
            # Unbuffered, so that a full disk is met while writing and not as the file is closed.
            with target.open("wb", buffering=0) as file, faults_of_httpx():
                async with asyncio.timeout(self._deadline if deadline is None else deadline):
                    return await self._stream(url, file, never)
        except _NotWritten as failed:
            raise failed.error from None

    async def _stream(self, url: str, file: IO[bytes], never: Collection[str]) -> int:
        request = self._client.build_request("GET", url, headers={"accept": "*/*"})
        answer = await self._client.send(request, stream=True)
        size = 0
        try:
            Answer(answer.status_code, answer.headers, b"").expect_success()
            async for chunk in self._decoded(answer):
                size += len(chunk)
                _write_all(file, chunk)
            # Last, as an answer that broke off on its way is worth asking for again, whatever its type.
            if answer.headers.get("content-type", "").partition(";")[0].strip().lower() in never:
                raise HttpFault(Fault.WRONG_SHAPE, status=answer.status_code)
        finally:
            await answer.aclose()
        return size

    async def _read(self, answer: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in self._decoded(answer):
            body += chunk
        return bytes(body)

    async def _decoded(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        """Give the decompressed body piece by piece, never more than the cap (a gzip bomb ends here)."""
        coding = answer.headers.get("content-encoding", "identity").strip().lower()
        if coding not in {"identity", "gzip", ""}:
            raise HttpFault(Fault.NOT_JSON, status=answer.status_code)
        gunzip = zlib.decompressobj(wbits=31) if coding == "gzip" else None
        size, begun = 0, False
        async for chunk in answer.aiter_raw():
            begun = begun or bool(chunk)
            piece = chunk
            if gunzip is not None:
                if gunzip.eof:  # what follows the end is dropped; zlib would keep it all
                    continue
                try:
                    piece = gunzip.decompress(chunk, self._max_body_bytes + 1 - size)
                except zlib.error:
                    raise HttpFault(Fault.NOT_JSON, status=answer.status_code) from None
            size += len(piece)
            if size > self._max_body_bytes:
                raise HttpFault(Fault.TOO_LARGE, status=answer.status_code)
            yield piece
        if gunzip is not None and begun and not gunzip.eof:
            raise HttpFault(Fault.CONNECTION_LOST, status=answer.status_code)


def _write_all(file: IO[bytes], chunk: bytes) -> None:
    """Write a piece to an unbuffered file, which may take a part of it at a time."""
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise _NotWritten(error) from None


@functools.cache
def _tls() -> ssl.SSLContext:
    """One TLS context a process: building one reads the certificate store, about 20 ms."""
    return httpx.create_ssl_context()
