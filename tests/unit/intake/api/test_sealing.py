"""Cursors of lists: whoever has not seen where one ends cannot read it."""

from __future__ import annotations

import base64
from datetime import UTC, timedelta, timezone
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.api.filters import Filters
from services.intake.api.places import read_place, write_next, write_place
from services.intake.api.sealing import CursorSeal
from services.intake.domain.visibility import EVERYTHING, Visibility
from services.intake.store.listing.pages import Page
from services.intake.store.listing.wanted import Order, Place, Wanted
from shared.http import Problem

SEAL = CursorSeal("0123456789abcdef0123456789abcdef")
names = st.sampled_from(["app", "web", "claims_hk"])
places = st.builds(
    Place,
    st.uuids(),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8, minutes=30))])),
    st.integers(0, 2**31 - 1),
)


@given(places, st.sampled_from(Order))
def test_a_page_without_a_line_at_its_end_tells_nothing_of_where_it_ended(place: Place, order: Order) -> None:
    wanted = Wanted(order=order)
    cursor = write_next(Page((), place), wanted, SEAL)
    assert cursor is not None
    assert len(cursor) <= Filters.model_fields["after"].metadata[0].max_length
    read = base64.urlsafe_b64decode(cursor[1:] + "==")
    for text in (write_place(place, wanted), str(place.request_id), place.request_id.hex):
        assert text not in cursor
        assert text.encode() not in read
    assert place.request_id.bytes not in read
    assert read_place(cursor, wanted, CursorSeal("0123456789abcdef0123456789abcdef")) == read_place(
        write_place(place, wanted), wanted, SEAL
    )


@given(places, st.sampled_from(Order), st.data())
def test_a_cursor_that_was_changed_or_sealed_with_another_secret_is_refused(
    place: Place, order: Order, data: st.DataObject
) -> None:
    wanted = Wanted(order=order)
    cursor = SEAL.close(write_place(place, wanted))
    at = data.draw(st.integers(1, len(cursor) - 2))
    damaged = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
    for seal, text in ((SEAL, damaged), (SEAL, cursor[:at]), (CursorSeal("another"), cursor)):
        with pytest.raises(Problem):
            read_place(text, wanted, seal)


def test_equal_places_are_sealed_unlike_and_the_end_of_a_list_has_no_cursor() -> None:
    page = Page((), Place(UUID(int=7)))
    cursors = [write_next(page, Wanted(), SEAL) for _ in range(3)]
    assert all(one != other for one, other in pairwise(cursors))
    assert write_next(Page((), None), Wanted(), SEAL) is None


@given(
    st.one_of(
        st.just(EVERYTHING), names.map(Visibility), st.frozensets(names).map(lambda teams: Visibility(None, teams))
    ),
    st.none() | names,
    st.none() | names,
)
def test_nothing_is_looked_for_where_no_request_could_be_shown(
    visibility: Visibility, channel: str | None, team: str | None
) -> None:
    wanted = Wanted(visibility, channel=channel, team=team)
    shown = [
        visibility.shows(of, at)
        for of in ([channel] if channel else ["app", "web", "claims_hk"])
        for at in ([team] if team else ["app", "web", "claims_hk", None])
    ]
    assert wanted.is_of_others == (not any(shown))
