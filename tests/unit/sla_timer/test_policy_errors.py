"""What is said about policies that cannot be used: file, line and field of everything that is wrong."""

from __future__ import annotations

import pytest

from services.sla_timer.domain.policies import read_policies
from services.sla_timer.domain.rulebook import RuleSources, read_rulebook
from shared.rules.document import InvalidDocument
from tests.unit.sla_timer.test_policy_files import BEFORE, CALENDARS, POLICIES, SHIPPED

ROLES = "roles: [team_lead]"


def complaints(policies: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        read_policies(policies, "policies.yml", SHIPPED.calendars.keys())
    return [str(complaint) for complaint in caught.value.complaints]


def line_of(text: str, needle: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if needle in line)


def about_objective(fields: str) -> str:
    """The complaint about an objective with these fields."""
    plain = f"{{budget: 1h elapsed, stops: closed, breach: {{{ROLES}}}}}"
    text = (
        "format: 1\ncalendars: {HK: hong_kong, CN: mainland_china, TW: taiwan}\npolicies:\n- policy: p\n  objectives:\n"
        f"    response: {plain}\n    resolution: {plain}\n    task: {{{fields}}}\n"
    )
    (found,) = complaints(text)
    return found.removeprefix("policies.yml, line 8, policies[0].objectives.task")


def about_condition(when: str) -> str:
    (found,) = complaints(BEFORE.replace("{kind: claim, priority: [urgent, high]}", when))
    return found.removeprefix("policies.yml, line 6, policies[0].when")


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        (
            "budget: 2h elapsed",
            "budget: soon",
            "policies[0].objectives.response.budget",
            "must be a span and `working`",
        ),
        ("budget: 40h working", "budget: 5d working", "policies[0].objectives.resolution.budget", "no fixed length"),
        ("fraction: 0.5", "fraction: 1.5", "policies[0].objectives.response.warning.fraction", "between 0 and 1"),
        ("{after: 4h, roles: [head_of", "{after: 1h, roles: [head_of", "escalations[1].after", "later than the level"),
        ("- policy: claim_urgent", "- policy: Claim!", "policies[0].policy", "is not a word of lower-case"),
        ("HK: hong_kong", "HK: atlantis", "calendars.HK", "there is no calendar 'atlantis'; known are "),
        ("HK: hong_kong", "XX: hong_kong", "calendars.XX", "is not a known name here"),
        ("format: 1", "format: 2", "format", "reads format 1"),
        ("after: 1h,", f"after: {'9' * 5000}h,", "response.escalations[0].after", "at most 3660 days"),
        (
            "      response:",
            "      response: 5\n      was:",
            "objectives.response",
            "must be a mapping of names to values",
        ),
        ("cancelled_by: [withdrawn]", 'cancelled_by: ["no good"]', "policies[0].cancelled_by[0]", "not a single word"),
    ],
)
def test_an_error_names_file_line_and_field(old: str, new: str, field: str, message: str) -> None:
    broken = POLICIES.replace(old, new, 1)
    place = f"policies.yml, line {line_of(broken, new.splitlines()[0])}, "
    found = complaints(broken)
    assert any(place in text and field in text and message in text for text in found), found


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (f"breach: {{{ROLES}}}, stops: closed", ": budget is missing"),
        ("budget: 1h elapsed, stops: closed", ": breach is missing"),
        ("budget: 1h elapsed, stops: closed, breach: {}", ".breach: roles is missing"),
        ("budget: 1h elapsed, stops: closed, breach: {roles: []}", ".breach.roles: needs at least one role"),
        (
            "budget: 1h elapsed, stops: closed, breach: {roles: [A]}",
            ".breach.roles[0]: 'A' is not a word of lower-case",
        ),
    ],
)
def test_what_every_objective_needs_is_named(fields: str, said: str) -> None:
    assert about_objective(fields).startswith(said)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("colour: red", ".colour: is not a known name here"),
        ("kind: chore", ".kind: 'chore' is not one of first_response, next_response, periodic_update, resolution"),
        ("kind: stage", ".kind: needs `stage`"),
        ("kind: custom, starts: responded", ": stops is missing"),
        ("kind: custom, stops: responded", ": starts is missing"),
        ("budget: 1h elapsed", ": stops is missing"),
        ("stops: closed, stage: decision", ".stage: goes with `kind: stage`"),
        ("kind: resolution, from: entered", ".from: goes with `kind: stage`"),
        ("kind: stage, stage: a, from: there", ".from: must be `entered` or `previous_exit`"),
        ("stops: answered", ".stops: 'answered' is no event; known are "),
        ("stops: [closed, 'responded:well']", ".stops[1]: 'responded:well' is no event"),
        ("stops: [closed, 'closed:']", ".stops[1]: 'closed:' is no event"),
        ("stops: closed, resets: extended", ".resets: 'extended' is no event"),
        ("stops: closed, paused_by: ['*', documents]", ".paused_by[0]: '*' is not a single word"),
        ("stops: closed, pauses: [{from: assigned}]", ".pauses[0]: to is missing"),
        ("stops: closed, pauses: {from: assigned}", ".pauses: must be a list"),
        ("stops: closed, party: partner", ".party: 'partner' is not one of customer, internal, supplier"),
        ("stops: closed, calendar: atlantis", ".calendar: there is no calendar 'atlantis'"),
        ("stops: closed, on_change: forget", ".on_change: must be `keep` (time spent counts) or `restart`"),
        ("stops: closed, modes_move_running: 1", ".modes_move_running: must be true or false"),
        ("stops: closed, modes: {normal: 1h elapsed}", ".modes.normal: is not a known name here"),
        ("stops: closed, modes: {peak: 0h elapsed}", ".modes.peak: must be longer than nothing"),
        (f"stops: closed, longest_pause: {{{ROLES}}}", ".longest_pause: after is missing"),
        (f"stops: closed, longest_pause: {{after: 0h, {ROLES}}}", ".longest_pause.after: must be longer than nothing"),
        ("stops: closed, warning: {fraction: 0.5}", ".warning: roles is missing"),
        (f"stops: closed, warning: {{{ROLES}}}", ".warning: needs either `fraction` of the budget or a span `before`"),
        (f"stops: closed, warning: {{fraction: 0.5, before: 1h, {ROLES}}}", ".warning: needs either"),
        (f"stops: closed, warning: {{before: 0h, {ROLES}}}", ".warning.before: must be longer than nothing"),
        (f"stops: closed, warning: {{fraction: half, {ROLES}}}", ".warning.fraction: 'half' is not a fraction"),
        ("stops: closed, warning: {}, warnings: []", ".warning: give `warning` or `warnings`, not both"),
        (f"stops: closed, escalations: [{{after: 1h, times: 2, {ROLES}}}]", ".escalations[0].times: goes with `every`"),
        (f"stops: closed, escalations: [{{after: 1h, every: 0h, {ROLES}}}]", ".escalations[0].every: must be at least"),
        (
            f"stops: closed, escalations: [{{after: 1h, every: 1h, times: 0, {ROLES}}}]",
            ".escalations[0].times: must be a number from 1 to 1000",
        ),
        (
            f"stops: closed, escalations: [{{after: 1h, every: 1h, {ROLES}}}, {{after: 2h, {ROLES}}}]",
            ".escalations[0].every: only the last level may repeat",
        ),
        (
            f"stops: closed, escalations: [{', '.join(f'{{after: {n}h, {ROLES}}}' for n in range(1, 52))}]",
            ".breach: a ladder has at most 50 rungs",
        ),
    ],
)
def test_every_field_of_an_objective_says_what_it_takes(fields: str, said: str) -> None:
    budget = "" if "budget" in fields else "budget: 1h elapsed, "
    assert about_objective(f"{budget}breach: {{{ROLES}}}, {fields}").startswith(said)


def test_an_objective_is_named_by_a_word() -> None:
    broken = BEFORE.replace("      resolution:", "      Resolution!: {}\n      resolution:", 1)
    assert any("an objective's name is lower-case letters" in text for text in complaints(broken))


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("{}", ": holds no condition; leave `when` out of the default policy"),
        ("{kind: cliam}", ".kind: 'cliam' is not one of claim, "),
        ("{market: [HK, XX]}", ".market[1]: 'XX' is not one of CN, HK, TW"),
        ("{kind: [[claim]]}", ".kind[0]: must be a single value"),
        ('{"two words": 1}', ".two words: is not the name of a fact"),
        ("{attributes.kind: claim}", ".attributes.kind: a standard fact is no attribute"),
        ("{broker: {}}", ".broker: holds no condition"),
        ("{broker: {roughly: 5}}", ".broker.roughly: is not a known name here"),
        ("{amount: {at_least: much}}", ".amount.at_least: 'much' is not a number"),
        ("{amount: {below: nan}}", ".amount.below: 'nan' is not a number"),
        ("{amount: {below: 1e999}}", ".amount.below: '1e999' is not a number"),
        ("{priority: {at_least: 1}}", ".priority: has no order; give the values"),
        ("{broker: {known: perhaps}}", ".broker.known: must be true or false"),
        ("{branch: {like: '['}}", ".branch.like: is not a regular expression"),
        ("{branch: {like: '(a+)+b'}}", ".branch.like: "),
        (f"{{branch: {{like: {'a' * 201}}}}}", ".branch.like: a pattern has at most 200 characters"),
        ("{any: []}", ".any: needs at least one condition"),
        ("{all: {kind: claim}}", ".all: must be a list"),
        ("{not: [{kind: claim}]}", ".not: must be a mapping of names to values"),
    ],
)
def test_every_condition_says_what_it_takes(when: str, said: str) -> None:
    assert about_condition(when).startswith(said)


def test_everything_that_is_wrong_is_named_at_once_in_the_order_of_the_text() -> None:
    broken = BEFORE.replace("HK: hong_kong", "HK: here").replace("claim, pri", "cliam, pri").replace("40h", "40x")
    fields = [text.split(", ")[2].partition(":")[0] for text in complaints(broken)]
    assert fields == ["calendars.HK", "policies[0].when.kind", "policies[0].objectives.resolution.budget"]


@pytest.mark.parametrize("objective", ["response", "resolution"])
def test_a_policy_without_a_response_or_a_resolution_is_refused(objective: str) -> None:
    broken = POLICIES.replace(f"      {objective}:", "      something:", 1)
    message = f"policies[0].objectives: {objective} missing; every policy needs resolution and response"
    assert any(message in text for text in complaints(broken))


def test_a_policy_after_the_default_can_never_apply() -> None:
    first, _, rest = POLICIES.partition("    when: {kind: claim, priority: [urgent]}\n")
    assert any("can never apply: claim_urgent before it has no conditions" in text for text in complaints(first + rest))


def test_the_default_must_be_there() -> None:
    broken = BEFORE.replace("  - policy: everything\n", "  - policy: everything\n    when: {kind: enquiry}\n")
    assert any("the last policy must be the default" in text for text in complaints(broken))


def test_a_name_is_given_once() -> None:
    twice = BEFORE.replace("policy: everything", "policy: claim_urgent")
    assert any("claim_urgent is defined twice" in text for text in complaints(twice))
    budget = "        budget: 2h elapsed\n"
    assert any("response.budget: is given twice" in text for text in complaints(BEFORE.replace(budget, budget * 2)))


def test_a_budget_that_a_calendar_can_never_spend_is_refused_by_field() -> None:
    scarce = '{timezone: UTC, known_until: 2026-12-31, weekly: {fri: [["09:00", "10:00"]]}}'
    calendars = f"format: 1\ncalendars: {{hong_kong: {scarce}, mainland_china: {scarce}, taiwan: {scarce}}}\n"
    policies = BEFORE.replace("40h working", "40000h working", 1)
    with pytest.raises(InvalidDocument) as caught:
        read_rulebook(RuleSources(policies, calendars))
    (complaint,) = caught.value.complaints
    assert complaint.field == "policies[0].objectives.resolution.budget"
    assert complaint.line == line_of(policies, "40000h working")
    assert "cannot be spent: calendar hong_kong" in complaint.message


def test_the_longest_span_is_taken() -> None:
    text = BEFORE.replace("2h elapsed", "3660d elapsed").replace("40h working", "87840h working")
    read_rulebook(RuleSources(text, CALENDARS))


@pytest.mark.parametrize(
    ("policies", "calendars", "file", "message"),
    [
        ("[" * 5000, CALENDARS, "policies.yml", "is nested too deeply"),
        (POLICIES, "{a: " * 5000, "calendars.yml", "is nested too deeply"),
        (r'"\Uffffffff"', CALENDARS, "policies.yml", "is not YAML: found invalid Unicode"),
        (r'"\ud800": 1', CALENDARS, "policies.yml", "is not YAML: found invalid Unicode"),
        (
            BEFORE,
            CALENDARS.replace("    weekly:", "    closures: [[9999-12-31T01:00, 9999-12-31T24:00]]\n    weekly:", 1),
            "calendars.yml",
            "",
        ),
    ],
    ids=["deep policies", "deep calendars", "no character", "half a character", "no instant"],
)
def test_a_text_out_of_all_proportion_is_a_complaint_and_no_crash(
    policies: str, calendars: str, file: str, message: str
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_rulebook(RuleSources(policies, calendars))
    assert any(complaint.file == file and message in complaint.message for complaint in caught.value.complaints)
    str(caught.value).encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("[1, 2", "line 1, document: is not YAML"),
        ("a: b: c", "is not YAML"),
        ("- a\n- b\n", "must be a mapping"),
        ("format: [1]\ncalendars: {}\npolicies: []\n", "must be a single value"),
        ("? [x]\n: y\n", "a name must be a plain word"),
        ("format: 1\ncalendars: {HK: hong_kong, CN: taiwan, TW: taiwan}\npolicies: {}\n", "must be a list"),
        ("format: 1\ncalendars: {HK: hong_kong, CN: taiwan, TW: taiwan}\npolicies: []\n", "must be the default"),
    ],
)
def test_a_text_of_another_shape_is_refused(text: str, message: str) -> None:
    assert any(message in found for found in complaints(text))
