"""Receipts: the files behind the items, made on demand, behind links that end after 24 hours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import zlib

LINK_LIFETIME_SECONDS = 24 * 3600
"""Life of a file link, counted from the fetch of the item (L63)."""

PLACE = "/_sandbox/files/"
ORIGIN_MARK = b"sandbox-origin://"
"""Stands for scheme and host in stored items; replaced when a page is served."""

SIGNATURE_MARK = b"sandbox-signature"
"""Stands for the query of a link in stored items; replaced when a page is served."""

MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png"}


def link(file_id: str, kind: str) -> str:
    """Write the link of a receipt as it is stored, with marks where each fetch puts its own values."""
    return f"{ORIGIN_MARK.decode()}{PLACE}{file_id}.{kind}?{SIGNATURE_MARK.decode()}"


def sign_links(page: bytes, origin: str, key: bytes, now: float) -> bytes:
    """Make the links of a page good for 24 hours from now (L63)."""
    if ORIGIN_MARK not in page:
        return page
    expires = int(now) + LINK_LIFETIME_SECONDS
    query = f"expires={expires}&signature={_signature(key, expires)}".encode()
    return page.replace(ORIGIN_MARK, origin.encode()).replace(SIGNATURE_MARK, query)


def link_is_good(expires: str, signature: str, key: bytes, now: float) -> bool:
    """Tell whether a link was signed here and has not run out."""
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16):
        return False
    return hmac.compare_digest(signature.encode(), _signature(key, int(expires)).encode()) and now < int(
        expires
    )


def receipt(file_id: str, kind: str) -> bytes:
    """Make the bytes of a receipt. They depend on its id alone, and their number on its kind alone.

    Raises:
        KeyError: no such kind of file.

    """
    return {"pdf": _pdf, "png": _png}[kind](file_id)


def _signature(key: bytes, expires: int) -> str:
    digest = hmac.new(key, str(expires).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _pdf(text: str) -> bytes:
    drawing = f"BT /F1 12 Tf 20 60 Td (Receipt {text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 360 120] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + (
        b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    )


def _png(text: str) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    pixel = zlib.compress(b"\x00\xff\xff\xff")
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    note = b"Comment\x00Receipt " + text.encode()
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"tEXt", note)
        + chunk(b"IDAT", pixel)
        + chunk(b"IEND", b"")
    )


RECEIPT_SIZES = {kind: len(receipt("0" * 36, kind)) for kind in MEDIA_TYPES}
"""Bytes of a receipt by kind; every id has 36 characters."""
