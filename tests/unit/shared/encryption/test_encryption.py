from __future__ import annotations

import base64
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.encryption import CustomerKey, MasterKeyMissing, MasterKeys, Undecipherable

ANN = UUID("01900000-0000-7000-8000-000000000001")
BOB = UUID("01900000-0000-7000-8000-000000000002")


def _encoded(letter: str) -> str:
    return base64.urlsafe_b64encode(letter.encode() * 32).decode().rstrip("=")


OLD = MasterKeys.parse(f"2025:{_encoded('a')}")
NEW = MasterKeys.parse(f"2026:{_encoded('b')}, 2025:{_encoded('a')}")


@given(st.text(), st.text())
def test_what_was_encrypted_comes_back_as_it_was_from_its_place_only(text: str, place: str) -> None:
    key = OLD.new_key(ANN)
    encrypted = key.encrypt(text, place)

    assert OLD.unwrap(ANN, key.wrapped).decrypt(encrypted, place) == text
    with pytest.raises(Undecipherable):
        key.decrypt(encrypted, place + "!")
    assert len(text) < 4 or text.encode() not in encrypted


@given(st.binary(max_size=200))
def test_nonsense_is_undecipherable_and_nothing_worse(given: bytes) -> None:
    with pytest.raises(Undecipherable):
        OLD.new_key(ANN).decrypt(given, "x")
    with pytest.raises((Undecipherable, MasterKeyMissing)):
        OLD.unwrap(ANN, given)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_noticed(position: int, change: int) -> None:
    key = OLD.new_key(ANN)
    encrypted = bytearray(key.encrypt("somewhere", "x"))
    encrypted[position % len(encrypted)] ^= change

    with pytest.raises(Undecipherable):
        key.decrypt(bytes(encrypted), "x")


def test_the_same_text_is_encrypted_differently_each_time_and_marked_the_same() -> None:
    key, other = OLD.new_key(ANN), OLD.new_key(BOB)

    assert key.encrypt("Chan Tai Man", "x") != key.encrypt("Chan Tai Man", "x")
    assert key.mark("Chan Tai Man") == key.mark("Chan Tai Man")
    assert key.mark("Chan Tai Man") != key.mark("Chan Tai Mei")
    assert key.mark("Chan Tai Man") != other.mark("Chan Tai Man")


def test_a_key_is_of_one_customer() -> None:
    key = OLD.new_key(ANN)

    with pytest.raises(Undecipherable):
        OLD.unwrap(BOB, key.wrapped)
    moved = CustomerKey(BOB, key.wrapped, key.secret)
    with pytest.raises(Undecipherable):
        moved.decrypt(key.encrypt("hers", "x"), "x")


def test_after_a_new_master_key_old_customers_are_read_and_wrapped_anew() -> None:
    key = OLD.new_key(ANN)
    encrypted = key.encrypt("hers", "x")

    again = NEW.rewrap(NEW.unwrap(ANN, key.wrapped))
    only_new = MasterKeys("2026", {"2026": NEW.secrets["2026"]})
    assert only_new.unwrap(ANN, again.wrapped).decrypt(encrypted, "x") == "hers"
    with pytest.raises(MasterKeyMissing, match="2025"):
        only_new.unwrap(ANN, key.wrapped)


def test_no_key_shows_in_a_text_of_it() -> None:
    key = NEW.new_key(ANN)

    assert str(key.secret) not in repr(key)
    assert "bbbb" not in repr(NEW)
    assert _encoded("b") not in repr(NEW)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "part 1 is not name:key"),
        ("abc", "part 1 is not name:key"),
        (f"a:{_encoded('a')},", "part 2 is not name:key"),
        (f"a b:{_encoded('a')}", "part 1 is not name:key"),
        (f"a:{_encoded('a')},a:{_encoded('b')}", "the name a stands there twice"),
        ("a:c2hvcnQ", "the key a has 5 bytes and needs 32"),
        ("a:no base 64!", "the key a is not Base64"),
    ],
)
def test_wrong_master_keys_are_refused_without_showing_them(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        MasterKeys.parse(text)
    assert "c2hvcnQ" not in str(refused.value)


@given(st.text())
def test_any_text_gives_master_keys_or_a_readable_error(text: str) -> None:
    with suppress(ValueError):
        assert MasterKeys.parse(text).secrets
