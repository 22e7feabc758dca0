"""Lists, counts, the clock and the probes."""

from __future__ import annotations

from prometheus_client import REGISTRY

from tests.integration.intake.front_door import SUBMISSION, Intake, write


async def test_the_list_is_newest_first_and_complete_page_by_page(intake: Intake) -> None:
    references = [(await intake.submit())["reference"] for _ in range(5)]
    await intake.web.post("/v1/requests", json=SUBMISSION, headers=write())
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await intake.app.get("/v1/requests", params={"limit": "2"} | after)).json()
        found += [line["reference"] for line in page["requests"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found[:5] == references[::-1]
    assert len(found) == len(set(found))
    everything = (await intake.staff.get("/v1/requests", params={"limit": "200"})).json()["requests"]
    assert {line["channel"] for line in everything} == {"app", "web"}


async def test_who_knows_a_version_gets_what_came_after_it(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    path = f"/v1/requests/{reference}"
    await intake.move(reference, "acknowledge")
    await intake.move(reference, "assign", team="claims_hk")
    whole = (await intake.app.get(path)).json()
    for since in (0, 1, 2):
        news = (await intake.app.get(path, params={"since": since})).json()
        assert news == whole | {"history": whole["history"][since:]}
    nothing = await intake.app.get(path, params={"since": 3})
    assert (nothing.status_code, nothing.content, nothing.headers["ETag"]) == (304, b"", '"3"')
    assert (await intake.app.get(path, params={"since": -1})).status_code == 422
    assert (await intake.web.get(path, params={"since": 3})).status_code == 404


async def test_the_counts_are_those_of_what_one_may_see(intake: Intake) -> None:
    before = (await intake.staff.get("/v1/summary")).json()
    view = await intake.submit(kind="enquiry")
    await intake.web.post("/v1/requests", json=SUBMISSION, headers=write())
    await intake.move(view["reference"], "close", outcome="answered")
    after = (await intake.staff.get("/v1/summary")).json()
    assert [after[name] - before[name] for name in ("requests", "open", "closed")] == [2, 1, 1]
    mine, theirs = [(await client.get("/v1/summary")).json()["requests"] for client in (intake.app, intake.web)]
    assert mine + theirs == after["requests"]
    assert after["by_kind"]["enquiry"] == 1


async def test_the_clock_is_for_everybody(intake: Intake) -> None:
    assert (await intake.nobody.get("/v1/clock")).json() == {"now": "2026-11-24T01:30:00Z", "speed": 1.0}


async def test_the_probes_answer(intake: Intake) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert (await intake.nobody.get(path)).status_code == 200


async def test_what_happens_is_counted(intake: Intake) -> None:
    def count(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(f"punctual_intake_{name}_total", labels) or 0.0

    def counts() -> list[float]:
        return [
            count("requests_accepted", channel="app", kind="complaint"),
            count("moves", type="stage_entered", kind="complaint"),
            count("refused", code="stage_forbidden"),
            count("answers_replayed"),
        ]

    before = counts()
    headers = write()
    body = SUBMISSION | {"kind": "complaint"}
    reference = (await intake.app.post("/v1/requests", json=body, headers=headers)).json()["reference"]
    await intake.app.post("/v1/requests", json=body, headers=headers)
    await intake.move(reference, "stage", stage="reply")
    await intake.move(reference, "stage", stage="investigation")
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 1, 1, 1]
