"""Links to the next page of a list."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote, urlencode

from fastapi import Request, Response
from hypothesis import example, given
from hypothesis import strategies as st

from services.intake.api.paging import link_next

texts = st.text(st.characters(codec="utf-8"), min_size=1)


@example("K7M4Q?2XD9C#", {}, "?#&")
@given(texts, st.dictionaries(texts, texts), texts)
def test_a_link_is_an_address_whatever_was_typed_and_leads_to_the_same_list(
    typed: str, query: dict[str, str], cursor: str
) -> None:
    request = Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "server": ("intake", 80),
            "path": f"/v1/requests/{typed}/timeline",
            "query_string": urlencode(query).encode(),
            "headers": [],
        }
    )
    response = Response()
    link_next(request, response, cursor)
    address = response.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
    assert address.isascii()
    assert quote(address, safe="/:?&=+%~") == address
    path, _, rest = address.partition("?")
    assert unquote(path) == f"/v1/requests/{typed}/timeline"
    assert dict(parse_qsl(rest)) == query | {"after": cursor}
