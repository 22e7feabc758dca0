"""What is kept of an answer says nothing that an erasure does not reach; a repeat is the first answer to the letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.intake.api.examples import REQUEST
from services.intake.api.views import EntryView, RequestView, write_history
from services.intake.domain.history import CHANGES, Change
from services.intake.domain.kept_answer import (
    exchange_history,
    with_external_id,
    without_external_id,
)
from services.intake.domain.sight import SAYING_OF_OTHERS, Sight
from services.intake.domain.visibility import EVERYTHING, Visibility


class Shown(BaseModel):
    """The beginning of what a request is shown as, and the parts that others wrote."""

    id: str
    reference: str
    external_id: str | None
    attributes: dict[str, str]


words = st.text(max_size=20) | st.just('"external_id":null') | st.just('"external_id":"x"')


@given(st.none() | words, st.dictionaries(words, words, max_size=3))
def test_a_repeat_is_the_first_answer(external_id: str | None, attributes: dict[str, str]) -> None:
    shown = Shown(id="1", reference="K7M4Q-2XD9C", external_id=external_id, attributes=attributes)
    first = shown.model_dump_json()
    kept = without_external_id(first, external_id)
    assert Shown.model_validate_json(kept) == shown.model_copy(update={"external_id": None})
    assert with_external_id(kept, external_id) == first


def test_nothing_that_others_wrote_stands_before_the_id() -> None:
    assert list(RequestView.model_fields)[:3] == ["id", "reference", "external_id"]


OTHERS = words | st.sampled_from(['"history":[],"status_url":', "history", "status_url"])
ENTRY = EntryView.model_validate(REQUEST["history"][0])


@given(OTHERS, st.integers(1, 4), st.sets(st.integers(1, 4)), OTHERS, st.none() | st.just("https://x.example/t/abc"))
def test_a_repeat_of_a_move_shows_the_history_that_the_first_answer_showed(
    name: str, count: int, named: set[int], written: str, status_url: str | None
) -> None:
    history = [
        ENTRY.model_copy(update={"sequence": number, "by": written, "data": {name: [], "status_url": written}})
        for number in range(1, count + 1)
    ]
    view = RequestView.model_validate(REQUEST)
    following = view.next.model_copy(update={"controls": {name: [], "history": [], "status_url": [written]}})
    changed = {"version": count, "status_url": status_url, "next": following, "attributes": {name: written}}
    shown = view.model_copy(update={**changed, "history": history})
    few = [entry for entry in history if entry.sequence in named]
    kept = exchange_history(shown.model_dump_json(), write_history(few))
    assert kept == shown.model_copy(update={"history": few}).model_dump_json()
    assert exchange_history(kept, write_history(history)) == shown.model_dump_json()


@pytest.mark.parametrize("change", CHANGES)
def test_what_says_nothing_of_other_requests_is_shown_alike_to_everybody(change: type[Change]) -> None:
    data = {name: {} if name == "findings" else "x" for other in CHANGES for name in other.__dataclass_fields__}
    is_hidden = Sight(Visibility("app")).shown_data(change.TYPE, data) != Sight(EVERYTHING).shown_data(
        change.TYPE, data
    )
    assert not is_hidden or change.TYPE in SAYING_OF_OTHERS


def test_nothing_that_others_wrote_stands_behind_the_history_but_the_link() -> None:
    assert list(RequestView.model_fields)[-2:] == ["history", "status_url"]
