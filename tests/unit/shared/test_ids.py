"""Ids sort by time and never clash; a reference survives the telephone, and a slip is noticed."""

from __future__ import annotations

import multiprocessing
import unicodedata
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.clock import real_now
from shared.ids import (
    REFERENCE_ALPHABET,
    check_character,
    format_reference,
    new_id,
    new_reference,
    new_secret,
    new_span_id,
    new_token,
    parse_reference,
    resembles_reference,
)

references = st.text(REFERENCE_ALPHABET, min_size=9, max_size=9).map(
    lambda data: format_reference(data + check_character(data))
)


def test_an_id_is_a_uuid_of_version_7_that_carries_its_instant() -> None:
    before_at = real_now()
    made = new_id()

    assert (made.version, made.variant) == (7, RFC_4122)
    made_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=made.int >> 80)
    assert before_at - timedelta(milliseconds=1) <= made_at <= real_now()


def test_ids_do_not_clash() -> None:
    assert len({new_id() for _ in range(20_000)}) == 20_000


def test_span_ids_are_sixteen_digits_and_do_not_repeat() -> None:
    spans = {new_span_id() for _ in range(5_000)}

    assert len(spans) == 5_000
    assert all(len(span) == 16 and int(span, 16) >= 0 for span in spans)


def test_a_forked_child_makes_other_ids_than_its_parent() -> None:
    new_id(), new_span_id()  # draws in advance
    here, there = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=lambda: there.send(_some_numbers()))
    child.start()
    theirs = here.recv()
    child.join()

    assert not theirs & _some_numbers()


def _some_numbers() -> set[int]:
    """The random part of ids and spans."""
    return {new_id().int & (2**62 - 1) for _ in range(300)} | {int(new_span_id(), 16) for _ in range(300)}


def test_ids_sort_by_the_millisecond_they_were_made_in() -> None:
    made = [new_id().int >> 80 for _ in range(5_000)]

    assert made == sorted(made)


def test_secrets_and_tokens_fit_into_an_address_and_do_not_repeat() -> None:
    for make, length in ((new_secret, 43), (new_token, 22)):
        made = {make() for _ in range(100)}
        assert len(made) == 100
        assert all(len(text) == length and text.replace("-", "").replace("_", "").isalnum() for text in made)


def test_a_new_reference_is_read_back_as_itself() -> None:
    for _ in range(200):
        reference = new_reference()
        assert parse_reference(reference) == reference


@given(references, st.data())
def test_case_spaces_and_dashes_do_not_matter(reference: str, data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.sampled_from(["", " ", "-", " - "]), min_size=10, max_size=10))
    typed = "".join(c + gap for c, gap in zip(reference.replace("-", ""), gaps, strict=True))

    assert parse_reference(typed.lower()) == reference


GAPS = st.text(st.one_of(st.characters(categories=("Pd", "Zs")), st.sampled_from("\u2212\uff0d")), max_size=2)


@given(references, st.lists(GAPS, min_size=11, max_size=11), st.booleans())
def test_nor_do_the_dashes_and_spaces_of_phones_and_office_programs_or_full_width(
    reference: str,
    gaps: list[str],
    is_full_width: bool,
) -> None:
    characters = [chr(ord(c) + 0xFEE0) if is_full_width else c for c in reference.replace("-", "")]
    typed = gaps[0] + "".join(c + gap for c, gap in zip(characters, gaps[1:], strict=True))

    assert parse_reference(typed) == reference
    assert resembles_reference(typed)


@given(references, st.integers(0, 9), st.one_of(st.sampled_from(REFERENCE_ALPHABET), st.characters()))
def test_every_single_wrong_character_is_noticed(reference: str, position: int, wrong: str) -> None:
    characters = list(reference.replace("-", ""))
    is_another = unicodedata.normalize("NFKC", wrong).upper() != characters[position]
    characters[position] = wrong

    assert (parse_reference("".join(characters)) is None) is is_another


@given(references, st.integers(0, 10), st.characters())
def test_every_character_too_many_or_too_few_is_noticed(reference: str, position: int, more: str) -> None:
    characters = reference.replace("-", "")
    with_more = parse_reference(characters[:position] + more + characters[position:])

    assert with_more is None or (with_more == reference and parse_reference(more + reference + more) == reference)
    assert position == len(characters) or parse_reference(characters[:position] + characters[position + 1 :]) is None


def test_what_looks_like_a_reference_is_told_from_other_texts() -> None:
    for text in ("538HE-REWC2", "538herewc2", "538HE–REWCO", "０１２３４ ５６７８９"):
        assert resembles_reference(text), text
    for text in ("APP-778100", "0123456789", "claims_hk1", "538H-EREWC2O", "538HE-REWC", "motor", "", "陳美玲"):
        assert not resembles_reference(text), text


@given(references, st.integers(0, 9), st.integers(0, 9))
def test_every_swap_of_two_characters_is_noticed(reference: str, one: int, other: int) -> None:
    characters = list(reference.replace("-", ""))
    assume(characters[one] != characters[other])
    characters[one], characters[other] = characters[other], characters[one]

    assert parse_reference("".join(characters)) is None


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_what_is_read_is_canonical(text: str) -> None:
    parsed = parse_reference(text)

    assert parsed is None or parse_reference(parsed) == parsed


def test_characters_that_are_mistaken_for_each_other_are_not_used() -> None:
    assert not set("01ILO") & set(REFERENCE_ALPHABET)
    assert len(REFERENCE_ALPHABET) == len(set(REFERENCE_ALPHABET)) == 31
