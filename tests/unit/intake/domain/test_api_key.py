"""What an API key is made of, and when it is good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.api.key_views import KeyBody
from services.intake.domain.api_key import ApiKey, hash_secret, next_expiry, overlap_end, read_key, write_key
from shared.contracts.payload import LATEST
from shared.http.access import Scope, StaffRole
from shared.http.own_names import OWN_NAMES
from shared.ids import new_key_prefix, new_secret

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SECRET = new_secret()
KEY = ApiKey(
    prefix="K7M4Q2XD",
    secret_hash=hash_secret(SECRET),
    name="branch",
    role="channel",
    scopes=frozenset({Scope.READ}),
    rate_per_second=None,
    burst=None,
    created_at=NOW,
    created_by="lee",
    expires_at=None,
    revoked_at=None,
    revoked_by=None,
    last_used_at=None,
    replaces=None,
    replaced_by=None,
    number=1,
)

spans = st.timedeltas(timedelta(), timedelta(days=400))


def test_a_key_is_read_as_it_was_written() -> None:
    for _ in range(100):
        prefix, secret = new_key_prefix(), new_secret()
        assert read_key(write_key(prefix, secret)) == (prefix, secret)


@given(st.text())
def test_what_is_no_key_is_none_and_never_an_error(text: str) -> None:
    assert read_key(text) is None
    assert read_key(f"pk_K7M4Q2XD_{text}") is None or len(text) == 43


@given(st.text())
def test_only_the_secret_fits(text: str) -> None:
    assert KEY.fits(SECRET)
    assert KEY.fits(text) == (text == SECRET)


def test_the_hash_is_shown_nowhere() -> None:
    assert "secret_hash" not in repr(KEY)


@given(spans, spans)
def test_a_key_is_good_until_it_expires(life: timedelta, later: timedelta) -> None:
    key = replace(KEY, expires_at=NOW + life)
    assert key.state(NOW + later) == ("good" if later < life else "expired")
    assert replace(key, revoked_at=NOW, revoked_by="lee").state(NOW + later) == "revoked"


@given(st.none() | spans, spans, spans)
def test_an_overlap_never_lengthens_a_life(life: timedelta | None, later: timedelta, overlap: timedelta) -> None:
    key = replace(KEY, expires_at=None if life is None else NOW + life)
    now = NOW + later
    end = overlap_end(key, now, overlap)
    assert end <= now + overlap
    assert key.expires_at is None or end <= key.expires_at
    following = next_expiry(key, now)
    assert following == (None if life is None else now + life)


@given(
    st.datetimes(NOW.replace(tzinfo=None) + timedelta(days=1), LATEST.replace(tzinfo=None), timezones=st.just(UTC)),
    spans,
)
def test_a_key_of_any_life_has_a_successor_until_the_last_instant_at_most(
    expires_at: datetime, later: timedelta
) -> None:
    key = replace(KEY, expires_at=expires_at)
    now = min(NOW + later, expires_at)
    following = next_expiry(key, now)
    assert following == min(expires_at, LATEST - (now - NOW)) + (now - NOW)
    assert following is not None
    assert next_expiry(replace(key, created_at=now, expires_at=following), now) == following


@pytest.mark.parametrize("name", sorted(OWN_NAMES))
def test_no_new_key_has_a_name_that_entries_of_the_system_are_known_by(name: str) -> None:
    with pytest.raises(ValidationError, match=f"{name} is what the system itself signs with"):
        KeyBody(name=name, role="channel", scopes=[Scope.READ])


def test_a_channel_key_is_its_channel_and_a_staff_key_a_service_that_administers() -> None:
    channel, staff = KEY.principal(), replace(KEY, role="staff").principal()
    assert (channel.kind, channel.name, channel.roles) == ("channel", "branch", frozenset())
    assert (staff.kind, staff.roles) == ("service", frozenset({StaffRole.ADMINISTRATOR}))
    assert channel.terms is not None
    assert (channel.terms.key, channel.terms.scopes) == ("K7M4Q2XD", frozenset({Scope.READ}))
