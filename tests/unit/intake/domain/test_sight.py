"""What is shown of other requests in a history: no entry names one that is hidden."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.changes import Absorbed, Complained, Merged, Noted, Split, Submitted
from services.intake.domain.doubts import Doubted, FindingConfirmed, FindingDismissed
from services.intake.domain.history import CHANGES, Change, Entry, change_data
from services.intake.domain.sight import RELATING, Sight, names_others
from services.intake.domain.visibility import EVERYTHING, Visibility
from shared.contracts.payload import RequestKind

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
IDS = st.sampled_from([UUID(int=number) for number in range(1, 6)])
SEEN = st.frozensets(IDS)
VISIBILITIES = st.sampled_from([Visibility("app"), Visibility(teams=frozenset({"claims_hk"})), EVERYTHING])
NAMING: st.SearchStrategy[Change] = st.one_of(
    st.builds(
        Doubted,
        st.sampled_from(
            [{"likely_duplicate": ("same_kind",)}, {"likely_duplicate": ("same_kind",), "odd": ("amount",)}]
        ),
        st.lists(IDS, min_size=1, unique=True).map(tuple),
    ),
    st.builds(Merged, IDS),
    st.builds(Absorbed, IDS),
    st.builds(Split, IDS),
    st.builds(Complained, IDS),
    st.builds(lambda one: Submitted(RequestKind.CLAIM, 1, "received", split_from=one), IDS),
    st.builds(lambda one: Submitted(RequestKind.CLAIM, 1, "received", about=one), IDS),
)


def texts(ids: frozenset[UUID]) -> frozenset[str]:
    return frozenset(map(str, ids))


def test_every_member_that_names_a_request_is_known_to_do_so() -> None:
    known = {(entry_type, member) for entry_type, members in RELATING.items() for member in members}
    found = {
        (change.TYPE, member.name)
        for change in CHANGES
        for member in fields(change)
        if "UUID" in str(member.type) and member.name != "attachment_id"
    }
    assert found == known | {("doubted", "duplicates")}


@given(change=NAMING, visibility=VISIBILITIES, duplicates=SEEN, related=SEEN)
def test_no_hidden_request_is_named_and_none_that_is_seen_is_left_out(
    change: Change, visibility: Visibility, duplicates: frozenset[UUID], related: frozenset[UUID]
) -> None:
    whole = change_data(change)
    seen = duplicates if isinstance(change, Doubted) else related
    shown = Sight(visibility, texts(duplicates), texts(related)).shown_data(change.TYPE, whole)
    for number in range(1, 6):
        is_shown = UUID(int=number) in seen or visibility == EVERYTHING
        assert (str(UUID(int=number)) in str(shown)) == (str(UUID(int=number)) in str(whole) and is_shown)
    if visibility == EVERYTHING:
        assert shown == whole
    assert names_others([Entry(1, change, NOW, NOW, "app")])


@given(seen=SEEN, change=NAMING.filter(lambda change: isinstance(change, Doubted)))
def test_a_channel_is_shown_the_finding_only_with_a_duplicate_of_its_own_and_staff_always(
    seen: frozenset[UUID], change: Doubted
) -> None:
    seen &= frozenset(change.duplicates)
    channel = Sight(Visibility("app"), duplicates=texts(seen))
    staff = Sight(Visibility(teams=frozenset()), duplicates=texts(seen))
    whole = change_data(change)
    told = channel.shown_data("doubted", whole).get("findings", {})
    assert ("likely_duplicate" in told) == channel.shows_finding("likely_duplicate") == bool(seen)
    assert told.keys() - {"likely_duplicate"} == change.findings.keys() - {"likely_duplicate"}
    likest = staff.shown_data("doubted", whole)["findings"]["likely_duplicate"]
    assert bool(likest) == (change.duplicates[0] in seen)


@pytest.mark.parametrize("judged", [FindingConfirmed, FindingDismissed])
def test_the_judgement_of_a_hidden_finding_is_hidden_too(judged: type[FindingConfirmed]) -> None:
    hidden, other = judged("likely_duplicate", "merged"), judged("odd", "mistyped")
    sight = Sight(Visibility("app"))
    assert sight.shown_data(judged.TYPE, change_data(hidden)) == {}
    assert sight.shown_data(judged.TYPE, change_data(other)) == change_data(other)


def test_a_history_that_names_nobody_needs_no_asking() -> None:
    alone: list[Change] = [Submitted(RequestKind.CLAIM, 1, "received"), Doubted({"odd": ("amount",)}), Noted()]
    assert not names_others(Entry(number, change, NOW, NOW, "app") for number, change in enumerate(alone, 1))
