"""Pages: opaque cursors, what a page was asked for, and the page as it goes over the wire.

Every list has ascending integer positions that never change, so a cursor stays good while entries change
state, and a page is found by bisection whatever the length of the list.
"""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .refusals import InvalidRequest
from .schemas import Json

_PAGING = {"before", "after", "offset", "limit", "sorting_keys", "sorting_order"}


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a page was asked for.

    Attributes:
        collection: name of the list; a cursor of another list is refused.
        size: most entries to give, already clamped (U14).
        echo: `currentRequestPagination`, what was asked in the caller's own values.

    """

    collection: str
    size: int
    before: int | None
    after: int | None
    offset: int | None
    echo: dict[str, Json]


def read_page_request(
    query: dict[str, Json], given: dict[str, list[str]], collection: str, *, default: int, ceiling: int
) -> PageRequest:
    """Read the paging parameters of a query that the contract has already passed.

    Raises:
        InvalidRequest: before, after and offset together (L52), or a cursor that is none of this list.

    """
    if sum(key in query for key in ("before", "after", "offset")) > 1:
        raise InvalidRequest("before, after and offset exclude one another.")
    asked = {name: texts for name, texts in given.items() if name in query and name not in _PAGING}
    echo: dict[str, Json] = {"parameters": asked}
    for name, key in (("sorting_keys", "sortingKeys"), ("sorting_order", "sortingOrder")):
        if name in query:
            echo[key] = query[name]
    echo.update({name: query[name] for name in ("before", "after", "offset", "limit") if name in query})
    return PageRequest(
        collection=collection,
        size=min(query.get("limit", default), ceiling),
        before=_position(query["before"], collection) if "before" in query else None,
        after=_position(query["after"], collection) if "after" in query else None,
        offset=query.get("offset"),
        echo=echo,
    )


def render_page(
    request: PageRequest, positions: Sequence[int], entries: Callable[[Sequence[int]], list[bytes]]
) -> bytes:
    """Write one page: `data` from ready-made entries, `pagination` around it.

    A page of no entries (`limit=0`, or past the end) has no cursors.
    """
    total = len(positions)
    if request.before is not None:
        end = bisect_left(positions, request.before)
        start = max(0, end - request.size)
    else:
        start = request.offset or 0
        if request.after is not None:
            start = bisect_right(positions, request.after)
        start = min(start, total)
        end = min(start + request.size, total)
    chosen = positions[start:end]
    pagination: dict[str, Json] = {
        "currentRequestPagination": request.echo,
        "hasNextPage": end < total,
        "hasPreviousPage": start > 0,
        "total": total,
    }
    if chosen:
        pagination["startCursor"] = cursor(request.collection, chosen[0])
        pagination["endCursor"] = cursor(request.collection, chosen[-1])
    tail = json.dumps(pagination, separators=(",", ":")).encode()
    return b'{"data":[' + b",".join(entries(chosen)) + b'],"pagination":' + tail + b"}"


def cursor(collection: str, position: int) -> str:
    """Write the cursor of a position: opaque to the caller, and of the contract's form."""
    return base64.b32encode(f"{collection}:{position}".encode()).decode()


def _position(text: str, collection: str) -> int:
    try:
        name, _, position = base64.b32decode(text).decode().rpartition(":")
        if name == collection:
            return int(position)
    except (binascii.Error, ValueError):
        pass
    raise InvalidRequest("The cursor does not belong to this list.")
