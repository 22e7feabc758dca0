"""Signatures of texts: alike texts have alike signatures, in Chinese as in English, and the text is not in them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.anomalies.signatures import LENGTH, SIZE, shingle_count, shingles, sign, similarity

SECRET = b"a secret for the tests"
TEXTS = st.text(max_size=300) | st.text("abc 後保險桿被撞", max_size=300)


def alike(one: str, other: str) -> float:
    return similarity(sign(one, SECRET), sign(other, SECRET))


def jaccard(one: str, other: str) -> float:
    left, right = shingles(one), shingles(other)
    return len(left & right) / len(left | right)


@given(one=TEXTS, other=TEXTS)
def test_it_is_symmetric_and_lies_between_0_and_1(one: str, other: str) -> None:
    assert alike(one, other) == alike(other, one)
    assert 0 <= alike(one, other) <= 1


@given(text=TEXTS)
def test_a_text_is_wholly_like_itself_and_its_signature_has_one_length(text: str) -> None:
    assert alike(text, text) == 1.0
    assert len(sign(text, SECRET)) == LENGTH
    assert shingle_count(sign(text, SECRET)) == min(SIZE, len(shingles(text)))


@given(one=st.text(min_size=1, max_size=60), other=st.text(min_size=1, max_size=60))
def test_of_short_texts_it_is_exact(one: str, other: str) -> None:
    if shingles(one) | shingles(other):
        assert alike(one, other) == pytest.approx(jaccard(one, other))


def test_of_long_texts_it_errs_little() -> None:
    random = Random(1)
    words = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randrange(2, 9))) for _ in range(2_000)]
    errors = []
    for _ in range(60):
        whole = random.choices(words, k=400)
        changed = [word if random.random() < 0.8 else random.choice(words) for word in whole]
        one, other = " ".join(whole), " ".join(changed)
        errors.append(alike(one, other) - jaccard(one, other))
    assert abs(sum(errors) / len(errors)) < 0.02  # no bias: a third of the standard error of one, over 60 of them
    assert max(map(abs, errors)) < 4 * 0.045


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        ("後保險桿被撞，對方已留下電話。", "後保險桿被撞 對方已留下電話", 0.99),
        ("後保險桿被撞，對方已留下電話。", "後保險桿被撞了，對方已留下電話。", 0.75),
        ("Rear bumper hit while parked.", "rear bumper hit, while PARKED", 0.99),
        ("Rear bumper hit while parked, photos follow.", "Rear bumper was hit while parked, photos follow.", 0.75),
        ("ＡＢＣ１２３ 保單", "abc123 保單", 0.99),
    ],
)
def test_texts_that_say_the_same_are_alike(one: str, other: str, least: float) -> None:
    assert alike(one, other) >= least


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("請問下期保費何時扣款？可否改為月繳？", "颱風後天花板漏水，木地板損壞。"),
        ("When is the next premium due?", "Ceiling leaked after the typhoon; the wooden floor is damaged."),
        ("停車時後保險桿被撞，照片已上傳。", "Rear bumper hit while parked; photos are uploaded."),
    ],
)
def test_texts_that_say_something_else_are_not(one: str, other: str) -> None:
    assert alike(one, other) < 0.1


def test_another_secret_makes_signatures_unlike() -> None:
    text = "後保險桿被撞，對方已留下電話，車廠報價隨附。"
    assert similarity(sign(text, SECRET), sign(text, b"another secret of the tests")) == 0.0


@given(text=st.text("abcdefgh", min_size=20, max_size=200))
def test_the_text_is_not_in_its_signature(text: str) -> None:
    signature = sign(text, SECRET)
    assert not any(piece.encode() in signature for piece in (text, text[:8]))


def test_a_text_without_letters_has_no_shingles() -> None:
    assert shingle_count(sign("", SECRET)) == shingle_count(sign(" ... ?! ", SECRET)) == 0
    assert shingles("OK") == {"ok"}
    assert alike("", "") == 1.0
    assert alike("", "something") == 0.0


@pytest.mark.parametrize("secret", [b"", b"x" * 15, b"x" * 65])
def test_a_secret_that_is_too_short_or_too_long_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="a secret has 16 to 64 bytes"):
        sign("text", secret)


def test_what_is_no_signature_is_refused() -> None:
    with pytest.raises(ValueError, match="a signature has 512 bytes"):
        similarity(b"", sign("text", SECRET))
