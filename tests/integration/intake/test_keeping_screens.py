"""Whoever follows the stream of changes has on the screen what is asked for, however far behind or often away."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from services.intake.api.change_stream import Watched
from services.intake.domain.life import Life, replay
from services.intake.domain.visibility import EVERYTHING, Visibility
from services.intake.store.changes import Mark, Whereabouts, find_newest, read_changes
from services.intake.store.lookups import find_by_reference
from tests.integration.intake.front_door import Intake

TEAMS = (None, "team_a", "team_b", "team_c")
STAGES = ("received", "assessment")
WATCHED = (
    Watched(),
    Watched(team="team_a"),
    Watched(stage="received"),
    Watched(team="team_b", stage="assessment"),
    Watched(Visibility(teams=frozenset({"team_a"}))),
    Watched(Visibility(teams=frozenset({"team_a", "team_b"})), stage="received"),
    Watched(Visibility(channel="web")),
)


@dataclass
class Screen:
    """What a reader shows; it takes a page at a time, and goes on from its mark."""

    watched: Watched
    mark: Mark
    shown: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    async def read(self, intake: Intake, count: int) -> bool:
        async with intake.database.connection() as connection:
            changes = await read_changes(connection, self.mark, count)
        for change in changes:
            self.mark = change.mark
            for line in self.watched.write(change).splitlines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self._take(event, json.loads(line.removeprefix("data: ")))
        return bool(changes)

    def _take(self, event: str, data: dict[str, Any]) -> None:
        if event == "gone":
            assert data.keys() == {"reference", "id"}
            self.shown.discard(data["reference"])
            self.removed.add(data["reference"])
        else:
            self.shown.add(data["reference"])


async def move_at_random(intake: Intake, random: Random, references: list[str]) -> None:
    reference = random.choice(references)
    choices: list[tuple[str, dict[str, Any]]] = [
        ("note", {"text": "x"}),
        ("assign", {"team": random.choice(TEAMS)}),
        ("assign", {"handler": "s-104"}),
        ("stage", {"stage": random.choice(STAGES)}),
    ]
    verb, body = random.choice(choices)
    await intake.move(reference, verb, **body)  # some are refused: nothing happens then


def is_wanted(watched: Watched, life: Life, channel: str = "app") -> bool:
    return (
        watched.visibility.shows(channel, life.team)
        and watched.team in {None, life.team}
        and watched.stage in {None, life.stage}
    )


@pytest.mark.parametrize("seed", range(3))
async def test_a_screen_that_follows_the_stream_shows_what_is_asked_for(intake: Intake, seed: int) -> None:
    random = Random(seed)
    async with intake.database.connection() as connection:
        mark = await find_newest(connection)
    screens = [Screen(watched, mark) for watched in WATCHED]
    references = [(await intake.submit())["reference"] for _ in range(3)]
    for _ in range(25):
        await move_at_random(intake, random, references)
        for screen in screens:
            if random.random() < 0.2:
                await screen.read(intake, random.randint(1, 6))
    for screen in screens:
        while await screen.read(intake, random.randint(1, 6)):
            continue
        lives = {}
        for reference in references:
            async with intake.database.connection() as connection:
                record = await find_by_reference(connection, reference, EVERYTHING)
            assert record is not None
            lives[reference] = record.life
        wanted = {reference for reference, life in lives.items() if is_wanted(screen.watched, life)}
        assert screen.shown == wanted, screen.watched
        if screen.watched == Watched():
            assert screen.removed == set()
        if screen.watched.visibility.channel is not None:
            assert screen.removed == set(), "it is told of nothing that it never saw"


async def test_where_a_request_was_before_and_after_an_entry_is_what_its_history_says(intake: Intake) -> None:
    async with intake.database.connection() as connection:
        mark = await find_newest(connection)
    reference = (await intake.submit())["reference"]
    moves: list[tuple[str, dict[str, Any]]] = [
        ("note", {"text": "x"}),
        ("assign", {"team": "team_a"}),
        ("assign", {"handler": "s-104"}),
        ("stage", {"stage": "assessment"}),
        ("assign", {"team": None}),
        ("assign", {"team": "team_b"}),
        ("cancel", {"reason": "submitted_by_mistake"}),
    ]
    for upto in range(len(moves) + 1):  # each entry is once the last one
        async with intake.database.connection() as connection:
            record = await find_by_reference(connection, reference, EVERYTHING)
            changes = await read_changes(connection, mark, 100)
        assert record is not None
        lives = [replay(record.history[:count]) for count in range(1, len(record.history) + 1)]
        places = [Whereabouts(life.team, life.stage) for life in lives]
        assert [change.after for change in changes] == places
        assert [change.before for change in changes] == [places[0], *places[:-1]]
        assert {change.now for change in changes} == {places[-1]}
        if upto < len(moves):
            verb, body = moves[upto]
            answer = await intake.move(reference, verb, **body)
            assert answer.is_success, answer.text
