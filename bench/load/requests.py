"""Requests made beforehand: whole HTTP messages in which only a number is left to fill in."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

_NUMBER = "000000000000"  # stands for the number of the request; all of them have its length
_FORMAT = b"%012d"
_DOMAIN = "@customer.example"

_CUSTOMERS = (
    {"name": "陳美玲", "language": "zh-Hant", "tier": "standard"},
    {"name": "王建国", "language": "zh-Hans", "tier": "gold"},
    {"name": "Emily Wong", "language": "en", "tier": "standard"},
    {"name": "林志豪", "language": "zh-Hant", "tier": "platinum"},
)
_KINDS = (
    ("claim", "motor"),
    ("enquiry", "health"),
    ("policy_service", "life"),
    ("claim", "travel"),
    ("underwriting", "life"),
    ("complaint", "motor"),
    ("enquiry", "home"),
    ("policy_service", "motor"),
    ("claim", "health"),
    ("enquiry", "life"),
)
_MARKETS = ("HK", "CN", "TW")
_TURNS = len(_KINDS) * len(_MARKETS)  # after so many everything begins anew
_DESCRIPTION = "後保險桿被撞，對方已留下電話，車廠報價隨附，請盡快回覆。The other driver left a phone number."


def submission(turn: int) -> dict[str, Any]:
    """The body of the request number ``turn``; kinds, markets and languages take turns."""
    kind, product_line = _KINDS[turn % len(_KINDS)]
    return {
        "kind": kind,
        "product_line": product_line,
        "priority": "normal",
        "market": _MARKETS[turn % len(_MARKETS)],
        "external_id": f"APP-{_NUMBER}",
        "description": _DESCRIPTION,
        "attributes": {"amount": 12800, "has_photos": True, "workshop": "HK-017"},
        "customer": {
            **_CUSTOMERS[turn % len(_CUSTOMERS)],
            "id": f"C-{_NUMBER}",
            "email": f"c{_NUMBER}{_DOMAIN}",
            "phone": "+852 2345 6789",
        },
    }


def number_of(address: str) -> int | None:
    """The number of the request whose customer has this address; None for anybody else's."""
    name = address.removesuffix(_DOMAIN).removeprefix("c")
    return int(name) if name.isdigit() and address.endswith(_DOMAIN) else None


class PreparedRequests:
    """POSTs of new requests, each with an idempotency key and a customer of its own.

    Args:
        run: sets the keys of one run apart from those of another.
    """

    def __init__(self, url: str, key: str, run: str) -> None:
        parts = urlsplit(url)
        bodies = [json.dumps(submission(turn), ensure_ascii=False).encode() for turn in range(_TURNS)]
        self.body_bytes = max(map(len, bodies))
        self._templates = [
            _template(
                f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {key}\r\n"
                f"Idempotency-Key: {run}-{_NUMBER}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n",
                body,
            )
            for body in bodies
        ]

    def message(self, number: int) -> bytes:
        """The whole HTTP message."""
        template, places = self._templates[number % len(self._templates)]
        return template % ((number,) * places)


class PreparedLines:
    """Lines of a batch with the same requests.

    Args:
        run: as there.
    """

    def __init__(self, run: str) -> None:
        key = {"idempotency_key": f"{run}-{_NUMBER}"}
        lines = [json.dumps({**key, **submission(turn)}, ensure_ascii=False) + "\n" for turn in range(_TURNS)]
        self._templates = [_template("", line.encode()) for line in lines]

    def line(self, number: int) -> bytes:
        """The line with its end."""
        template, places = self._templates[number % _TURNS]
        return template % ((number,) * places)


def _template(head: str, body: bytes) -> tuple[bytes, int]:
    whole = (head.encode() + body).replace(b"%", b"%%")
    number = _NUMBER.encode()
    return whole.replace(number, _FORMAT), whole.count(number)
