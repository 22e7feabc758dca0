"""What is kept of an answer says nothing that an erasure does not reach; a repeat is the first answer to the letter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.intake.api.views import RequestView
from services.intake.domain.kept_answer import with_external_id, without_external_id


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
