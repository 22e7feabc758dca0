from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from services.sla_timer.domain.rulebook import RuleSources
from services.sla_timer.handlers.rulebooks import RuleFiles
from services.sla_timer.store import policy_versions
from services.sla_timer.store.policy_versions import PolicyVersion
from services.sla_timer.ticker.watch import Watch
from shared.clock import ManualClock
from shared.errors import ConfigurationError
from shared.rules.document import InvalidDocument
from tests.integration.sla_timer.conftest import StartDesk
from tests.integration.sla_timer.customer import MONDAY, Customer
from tests.integration.sla_timer.desk import Desk


def change(files: RuleFiles, old: str, new: str) -> None:
    text = files.policies.read_text(encoding="utf-8")
    assert old in text
    files.policies.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = files.policies.stat()
    os.utime(files.policies, ns=(found.st_atime_ns, found.st_mtime_ns + 1))


async def replace_policies(desk: Desk, text: str) -> PolicyVersion:
    sources = await desk.rulebooks.draft(text, None)
    return await desk.rulebooks.put_in_force(sources, "lead", "try it", moves_running=False)


async def test_a_broken_file_stops_the_first_start_with_one_message(
    start_desk: StartDesk, rule_files: RuleFiles
) -> None:
    change(rule_files, "budget: 2h elapsed", "budget: soon")
    with pytest.raises(ConfigurationError, match=r"policies.yml, line \d+, policies\[0\].objectives.response.budget"):
        await start_desk()


async def test_a_file_that_is_not_there_stops_the_first_start(start_desk: StartDesk, rule_files: RuleFiles) -> None:
    rule_files.calendars.unlink()
    with pytest.raises(ConfigurationError, match=r"calendars.yml: No such file"):
        await start_desk()


async def test_a_file_that_is_no_text_stops_the_first_start(start_desk: StartDesk, rule_files: RuleFiles) -> None:
    rule_files.policies.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="is not UTF-8 text"):
        await start_desk()


async def test_the_same_files_are_taken_once(start_desk: StartDesk) -> None:
    first, second = await start_desk(), await start_desk()
    await second.rulebooks.refresh()
    assert (first.rulebooks.in_force.version, second.rulebooks.in_force.version) == (1, 1)
    assert first.rulebooks.in_force.origin == "file"


async def test_a_changed_file_is_in_force_for_new_requests_only(desk: Desk, rule_files: RuleFiles) -> None:
    before, after = Customer(), Customer()
    await desk.deliver(before.submits())
    change(
        rule_files,
        "      response: &office_response\n        budget: 8h working",
        "      response: &office_response\n        budget: 3h working",
    )
    await desk.rulebooks.refresh()
    assert desk.rulebooks.in_force.version == 2
    await desk.deliver(after.submits(), before.paused(MONDAY), before.resumed(MONDAY))
    rows = await desk.rows(
        "SELECT policy_version, due_at - started_at AS span FROM clock WHERE objective = 'response' ORDER BY 1"
    )
    assert [(row["policy_version"], row["span"].total_seconds() / 3600) for row in rows] == [(1, 8), (2, 3)]


async def test_a_broken_file_leaves_the_old_one_in_force_and_says_so(desk: Desk, rule_files: RuleFiles) -> None:
    change(rule_files, "budget: 2h elapsed", "budget: soon")
    await desk.rulebooks.refresh()
    assert desk.rulebooks.in_force.version == 1
    assert "policies[0].objectives.response.budget" in (desk.rulebooks.trouble or "")
    assert REGISTRY.get_sample_value("punctual_sla_timer_rules_broken") == 1
    change(rule_files, "budget: soon", "budget: 2h elapsed")
    await desk.rulebooks.refresh()
    assert not desk.rulebooks.trouble
    assert desk.rulebooks.in_force.version == 1
    assert REGISTRY.get_sample_value("punctual_sla_timer_rules_broken") == 0


async def test_a_broken_file_does_not_stop_a_later_start(start_desk: StartDesk, rule_files: RuleFiles) -> None:
    await start_desk()
    change(rule_files, "budget: 2h elapsed", "budget: soon")
    later = await start_desk()
    assert later.rulebooks.in_force.version == 1
    assert later.rulebooks.trouble is not None


async def test_what_the_api_put_in_force_outlives_a_restart_and_reaches_other_processes(start_desk: StartDesk) -> None:
    first, second = await start_desk(), await start_desk()
    policies = first.rulebooks.in_force.sources.policies.replace("budget: 2h elapsed", "budget: 1h elapsed")
    version = await replace_policies(first, policies)
    assert (version.version, version.origin, version.author, version.reason) == (2, "api", "lead", "try it")
    assert (await replace_policies(first, policies)).version == 2
    await second.rulebooks.refresh()
    third = await start_desk()
    assert [desk.rulebooks.current.version for desk in (first, second, third)] == [2, 2, 2]


async def test_policies_with_an_error_are_not_put_in_force(desk: Desk) -> None:
    with pytest.raises(InvalidDocument, match=r"policies.yml, line 1, document: is not YAML"):
        await replace_policies(desk, "[")
    assert desk.rulebooks.in_force.version == 1


async def test_an_alarm_rings_before_a_calendar_is_no_longer_known(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.rulebooks.watch_calendars(datetime(2026, 10, 1, tzinfo=UTC))
    assert "calendar ends soon" not in capsys.readouterr().out
    assert isinstance(desk.clock, ManualClock)
    for hour in (1, 2):
        desk.rulebooks.watch_calendars(datetime(2026, 12, 1, hour, tzinfo=UTC))
    printed = capsys.readouterr().out
    assert printed.count("calendar ends soon") == 3  # each of them, once a day
    labels = {"calendar": "hong_kong"}
    assert REGISTRY.get_sample_value("punctual_sla_timer_calendar_known_days", labels) == 30


async def test_what_is_open_and_overdue_is_measured(desk: Desk) -> None:
    await desk.deliver(Customer().submits(), Customer().submits())
    desk.clock.set(datetime(2026, 6, 1, 8, tzinfo=UTC))
    await Watch(desk.database, desk.rulebooks, desk.modes, desk.ownership, desk.shelf, desk.clock).measure()
    labels = {"objective": "response", "state": "running"}
    assert REGISTRY.get_sample_value("punctual_sla_timer_open_clocks", labels) == 2
    assert REGISTRY.get_sample_value("punctual_sla_timer_overdue_timers") == 2


@pytest.mark.parametrize(
    "spoilt",
    [
        ("budget: 2h elapsed", "budget: 3000000d elapsed"),
        ("budget: 40h working", "budget: 9000000h working"),
        ("after: 1h,", "after: 99999999999h,"),
        ("policies:", "policies: " + "[" * 5000),
        ("      resolution:", "      something:"),
    ],
    ids=["elapsed", "working", "after", "nested", "no resolution"],
)
async def test_no_policy_file_ends_the_service(desk: Desk, rule_files: RuleFiles, spoilt: tuple[str, str]) -> None:
    text = desk.rulebooks.in_force.sources.policies.replace(*spoilt, 1)
    with pytest.raises(InvalidDocument):
        await replace_policies(desk, text)
    change(rule_files, *spoilt)
    await desk.rulebooks.refresh()
    assert desk.rulebooks.in_force.version == 1
    assert "policies.yml, line " in (desk.rulebooks.trouble or "")
    assert REGISTRY.get_sample_value("punctual_sla_timer_rules_broken") == 1
    await desk.deliver(Customer().submits())


async def test_a_stored_version_that_cannot_be_read_leaves_the_one_before_in_force(desk: Desk) -> None:
    async with desk.database.transaction() as connection:
        sources = RuleSources("[", desk.rulebooks.in_force.sources.calendars)
        await policy_versions.add(connection, sources, "api", "an older program", desk.clock.now())
    await desk.rulebooks.refresh()
    assert desk.rulebooks.in_force.version == 1
    text = desk.rulebooks.in_force.sources.policies.replace("budget: 2h elapsed", "budget: 1h elapsed")
    assert (await replace_policies(desk, text)).version == 3
