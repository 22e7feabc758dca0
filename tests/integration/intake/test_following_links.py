"""Following the links of a list, however its address was typed."""

from __future__ import annotations

import pytest

from shared.ids import parse_reference
from tests.integration.intake.front_door import Intake

SPELLINGS = {
    "as given": str,
    "small": str.lower,
    "without a dash": lambda reference: reference.replace("-", ""),
    "a space": lambda reference: reference.replace("-", " "),
    "a no-break space": lambda reference: reference.replace("-", "\xa0"),
    "spaces around a dash": lambda reference: reference.replace("-", " - "),
    "an en dash": lambda reference: reference.replace("-", "\u2013"),
    "a minus": lambda reference: reference.replace("-", "\u2212"),
    "a wide space": lambda reference: reference.replace("-", "\u3000"),
    "wide letters": lambda reference: "".join(chr(ord(letter) + 0xFEE0) for letter in reference),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
async def test_a_timeline_is_followed_link_by_link(intake: Intake, spell: object) -> None:
    assert callable(spell)
    reference = (await intake.submit())["reference"]
    for _ in range(2):
        await intake.move(reference, "note", text="x")
    typed = spell(reference)
    assert parse_reference(typed) == reference
    answer = await intake.app.get(f"/v1/requests/{typed}/timeline?limit=1")
    told = []
    while True:
        assert answer.status_code == 200, answer.text
        told += [one["sequence"] for one in answer.json()["happenings"]]
        if "next" not in answer.links:
            break
        answer = await intake.app.get(answer.links["next"]["url"])
    assert told == [1, 2, 3]
