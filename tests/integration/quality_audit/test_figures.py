"""The running figures: weighted estimates with limits, a census of clocks, and the proof of the sample."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from services.quality_audit.domain.plan_text import parse_plan
from services.quality_audit.ticker import DRAWN, FRAME, REVIEWED, SCORE, TIMELINESS, FiguresTicker
from shared.contracts.clocks import ClockBreached, ClockMet
from tests.access.issuing import token_of
from tests.integration.quality_audit.audit import EVERY_CASE, NOW, Audit, Story

HALF = parse_plan(EVERY_CASE.text.replace("ordinary\n    rate: 1", "ordinary\n    rate: 0.5"))


async def test_before_anything_happens_nothing_is_shown(audit: Audit) -> None:
    card = await audit.score()
    assert (card["period"], card["kind"], card["strata"]) == ("2026Q4", None, [])
    for dimension, target in (("accuracy", 0.98), ("completeness", 0.9)):
        score = card[dimension]
        assert (score["point"], score["lower"], score["upper"], score["n"]) == (None, 0, 1, 0)
        assert (score["verdict"], score["target"]) == ("not_shown_yet", target)
    assert card["timeliness"]["verdict"] == "not_shown_yet"
    assert card["timeliness"]["point"] is None


async def test_a_census_of_reviews_is_exact(audit: Audit) -> None:
    for number in range(10):
        sample = await audit.sample_of(await audit.close_request())
        await audit.review(sample["id"], is_accurate=number > 0)
    card = await audit.score(kind="claim")
    accuracy = card["accuracy"]
    assert (accuracy["point"], accuracy["lower"], accuracy["upper"]) == pytest.approx((0.9, 0.9, 0.9))
    assert (accuracy["n"], accuracy["errors"], accuracy["verdict"]) == (10, 1, "refuted")
    assert (card["completeness"]["point"], card["completeness"]["verdict"]) == (1.0, "shown")
    (stratum,) = card["strata"]
    assert stratum["stratum"] == "claim.ordinary"
    assert [stratum[name] for name in ("frame", "drawn", "reviewed", "inaccurate", "incomplete")] == [10, 10, 10, 1, 0]


async def test_the_estimate_is_weighted_by_stratum(audit: Audit) -> None:
    # Half of the ordinary cases are sampled, all breached ones; each breached one is wrong, no ordinary one is.
    audit.plan_text = HALF
    for number in range(60):
        story = Story()
        await audit.hear(story.submitted(), story.started())
        if number < 12:
            await audit.hear(story.clock(ClockBreached))
        await audit.hear(story.closed())
    for sample in await audit.samples(state="open"):
        await audit.review(sample["id"], is_accurate=sample["stratum"] == "claim.ordinary")
    accuracy = (await audit.score())["accuracy"]
    assert accuracy["errors"] == 12
    assert accuracy["n"] < 60
    assert accuracy["point"] == pytest.approx(48 / 60)
    assert accuracy["point"] != pytest.approx(1 - 12 / accuracy["n"], abs=0.01)
    assert accuracy["claim_lower"] < accuracy["lower"] < accuracy["point"] == pytest.approx(accuracy["upper"])


async def test_kinds_are_told_apart(audit: Audit) -> None:
    claim = await audit.sample_of(await audit.close_request())
    await audit.close_request(outcome="answered", kind="enquiry")
    await audit.review(claim["id"], is_accurate=False)
    assert (await audit.score(kind="claim"))["accuracy"]["point"] == 0
    assert (await audit.score(kind="enquiry"))["accuracy"]["point"] is None
    everything = (await audit.score())["accuracy"]
    assert everything["n"] == 1
    assert (everything["lower"], everything["upper"]) == (0, 0.5)  # nothing is known about the enquiry


async def test_strata_that_had_to_be_merged_are_named(audit: Audit) -> None:
    late = Story()
    await audit.hear(late.submitted(), late.started(), late.clock(ClockBreached), late.closed())
    timely = await audit.sample_of(await audit.close_request())
    await audit.review(timely["id"])
    assert (await audit.score())["accuracy"]["merged"] == [["claim.breached", "claim.ordinary"]]


async def test_timeliness_counts_every_clock_of_the_period(audit: Audit) -> None:
    for number in range(4):
        story = Story()
        await audit.hear(story.submitted(), story.started())
        await audit.hear(story.missed() if number == 0 else story.met())
    before = Story()
    await audit.hear(before.submitted(), before.clock(ClockMet, stopped_at=NOW - timedelta(days=90)))
    timeliness = (await audit.score(kind="claim"))["timeliness"]
    assert (timeliness["met"], timeliness["missed"], timeliness["point"]) == (3, 1, 0.75)
    assert timeliness["verdict"] == "refuted"
    assert timeliness["by_objective"]["resolution"]["met"] == 3
    earlier = (await audit.score(period="2026Q3"))["timeliness"]
    assert (earlier["met"], earlier["missed"], earlier["verdict"]) == (1, 0, "shown")
    assert (await audit.score(kind="enquiry"))["timeliness"]["met"] == 0


async def test_a_directed_review_does_not_feed_the_figure(audit: Audit) -> None:
    story = await audit.close_request()
    await audit.as_admin("UPDATE sample SET purpose = 'directed'")
    await audit.review((await audit.sample_of(story))["id"], is_accurate=False)
    assert (await audit.score())["accuracy"]["n"] == 0


@pytest.mark.parametrize("query", ["period=2026", "period=2026Q5", "period=9999Q4", "period=0001Q1", "kind=hotline"])
async def test_a_wrong_question_is_told(audit: Audit, query: str) -> None:
    answer = await audit.staff.get(f"/v1/score?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [f"query:{query.split('=', maxsplit=1)[0]}"]


async def test_the_figures_are_those_of_the_house_and_for_no_channel(audit: Audit) -> None:
    for path in ("/v1/score", "/v1/summary"):
        assert (await audit.nobody.get(path)).status_code == 401
        assert (await audit.app.get(path)).status_code == 403
        assert (await audit.staff.get(path)).status_code == 200


async def test_who_handles_cases_does_not_see_from_the_figures_that_one_was_drawn(audit: Audit) -> None:
    async def asked(path: str, *roles: str) -> httpx.Response:
        return await audit.staff.get(path, headers={"Authorization": f"Bearer {token_of(*roles)}"})

    before = (await asked("/v1/score", "handler")).json()
    await audit.close_request()
    after = (await asked("/v1/score", "handler")).json()
    assert after == before | {"as_of": after["as_of"]}
    for roles in (("handler", "team_leader"), ("team_leader",)):
        assert (await asked("/v1/score", *roles)).json()["strata"] is None
        assert (await asked("/v1/summary", *roles)).status_code == 403
    for roles in (("quality_reviewer",), ("handler", "auditor")):
        (stratum,) = [one for one in (await asked("/v1/score", *roles)).json()["strata"] if one["frame"]]
        assert (stratum["frame"], stratum["drawn"]) == (1, 1)
        assert (await asked("/v1/summary", *roles)).json()["sampled"] == 1


async def test_the_summary_counts(audit: Audit) -> None:
    sample = await audit.sample_of(await audit.close_request())
    await audit.close_request()
    await audit.review(sample["id"])
    assert (await audit.staff.get("/v1/summary")).json() == {"closed": 2, "sampled": 2, "reviewed": 1, "open": 1}


@pytest.mark.parametrize("period", ["\x00", "2026Q4\n", "2026Q5", "\u0662026Q4"])
@pytest.mark.parametrize("path", ["/v1/proof", "/v1/score"])
async def test_what_is_no_quarter_is_refused(audit: Audit, path: str, period: str) -> None:
    answer = await audit.staff.get(path, params={"period": period})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query:period")


async def test_an_honest_sample_is_proved(audit: Audit) -> None:
    audit.plan_text = HALF
    for _ in range(30):
        await audit.close_request()
    answer = await audit.staff.get("/v1/proof", params={"period": "2026Q4"})
    proof = answer.json()
    assert answer.status_code == 200
    assert (proof["is_proved"], proof["is_secret_committed"], proof["differing"]) == (True, True, 0)
    assert (proof["units"], proof["sampled"]) == (30, len(await audit.samples()))
    assert proof["plan_digest"] == HALF.digest


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM sample WHERE request_id = $1",
        "UPDATE frame_unit SET risk = 'breached' WHERE request_id = $1",
        "UPDATE frame_unit SET is_breached = true WHERE request_id = $1",
        "UPDATE frame_unit SET ticket = '0000000000000000' WHERE request_id = $1",
        "UPDATE frame_unit SET rate = 0.9 WHERE request_id = $1",
        "UPDATE frame_unit SET closed_at = closed_at - interval '1 year' WHERE request_id = $1",
    ],
)
async def test_a_forged_sample_is_found_out(audit: Audit, tampering: str) -> None:
    audit.plan_text = HALF
    for _ in range(30):
        await audit.close_request()
    honest = (await audit.staff.get("/v1/proof", params={"period": "2026Q4"})).json()
    victim = next(sample for sample in await audit.samples())["request_id"]
    await audit.as_admin(tampering, victim)
    proof = (await audit.staff.get("/v1/proof", params={"period": "2026Q4"})).json()
    assert (proof["is_proved"], proof["differing"]) == (False, 1)
    assert {difference["request_id"] for difference in proof["differences"]} == {victim}
    assert (proof["frame_digest"], proof["sample_digest"]) != (honest["frame_digest"], honest["sample_digest"]) or (
        "rate" in tampering or "is_breached" in tampering
    )


async def test_a_period_without_closings_has_no_proof(audit: Audit) -> None:
    answer = await audit.staff.get("/v1/proof", params={"period": "2020Q1"})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:punctual:problem:period_not_found")


async def test_the_metrics_tell_the_running_period(audit: Audit) -> None:
    for number in range(4):
        story = await audit.close_request()
        if number:
            await audit.review((await audit.sample_of(story))["id"], is_accurate=number > 1)
        await audit.hear(story.met())
    await FiguresTicker(audit.database, EVERY_CASE.plan, audit.clock, 15).run_once()
    card = await audit.score(kind="claim")
    for kind in ("claim", "all"):
        assert [gauge.labels(kind)._value.get() for gauge in (FRAME, DRAWN, REVIEWED)] == [4, 4, 3]
        assert TIMELINESS.labels(kind)._value.get() == 1
        for bound in ("point", "lower", "upper"):
            assert SCORE.labels("accuracy", kind, bound)._value.get() == card["accuracy"][bound]
    assert FRAME.labels("complaint")._value.get() == 0
    assert "punctual_quality_audit_score{" in (await audit.nobody.get("/metrics")).text
