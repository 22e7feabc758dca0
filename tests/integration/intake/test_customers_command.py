"""The commands about what is held on a customer, against intake and the notifier over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_IMODE
from typing import Any, cast
from uuid import UUID

import httpx
import pytest

from services.intake.consumer import Listener
from services.notifier.api import create_api
from shared.contracts.envelope import Tombstone, decode
from shared.contracts.topics import CONTACTS, NOTICES, REQUESTS
from shared.ids import new_id
from shared.inbox import Received
from shared.kafka.records import Record
from shared.postgres import Database
from shared.testing.outbox import waiting_records
from tests.access.opening import access_by_keys
from tests.integration.command_line import Run, command_line, listening
from tests.integration.intake.front_door import KEYS, SUBMISSION, Intake
from tests.integration.notifier.house import House
from tests.unit.intake.shipped import MASTER_KEYS


@dataclass(frozen=True)
class Customer:
    """One customer of channel ``app``, whom both services know.

    Attributes:
        external_id: the channel's id.
        reference: of the only request.
    """

    intake: Intake
    house: House
    external_id: str
    customer_id: str
    reference: str

    async def ends(self) -> None:
        assert (await self.intake.move(self.reference, "cancel", reason="submitted_by_mistake")).is_success

    async def notifier_erases(self) -> None:
        """It hears the tombstone, and intake hears that it did what it should."""
        await self.house.hear(Tombstone(UUID(self.customer_id)))
        async with self.house.database.connection() as connection:
            records = [
                Record(NOTICES.name, 0, 0, record.key, record.value, record.headers)
                for record in await waiting_records(connection)
                if record.key == self.customer_id.encode()
            ]
        async with self.intake.database.transaction() as connection:
            heard = [Received(decode(each.key, each.value, each.headers), each) for each in records]
            assert await Listener().handle(connection, heard) == []


async def ready() -> Mapping[str, str | None]:
    return {"postgres": None}


@pytest.fixture
async def house(open_database: Callable[[str], Awaitable[Database]]) -> House:
    return House(await open_database("notifier"), master_keys=MASTER_KEYS)


@pytest.fixture
async def customer(intake: Intake, house: House) -> Customer:
    external_id = f"C-{new_id().hex}"
    view = await intake.submit(customer=SUBMISSION["customer"] | {"id": external_id})
    found = await intake.staff.get("/v1/customers", params={"channel": "app", "external_id": external_id})
    customer_id = found.json()["customer_id"]
    await house.hear(*await intake.told_about(REQUESTS, view["id"]), *await intake.told_about(CONTACTS, customer_id))
    return Customer(intake, house, external_id, customer_id, view["reference"])


@pytest.fixture
async def run(intake: Intake, house: House, tmp_path: Path) -> AsyncIterator[Run]:
    app: Any = cast("httpx.ASGITransport", intake.staff._transport).app
    notifier = create_api(house.listing, house.holding, access_by_keys(KEYS, "notifier"), ready)
    async with listening(app) as url, listening(notifier) as notifier_url:
        yield command_line(
            PUNCTUAL_INTAKE_URL=url,
            PUNCTUAL_NOTIFIER_URL=notifier_url,
            PUNCTUAL_STAFF_KEY="key of staff",
            PUNCTUAL_HOME=str(tmp_path),
        )


async def test_a_customer_is_found_by_the_id_of_the_channel_without_anything_personal(
    run: Run, customer: Customer
) -> None:
    found = await run("customers", "find", "app", customer.external_id)
    assert found == (0, f"{customer.customer_id}  1 requests, market HK\n")
    shown = json.loads((await run("customers", "find", "app", customer.external_id, "--json"))[1])
    assert shown["customer_id"] == customer.customer_id
    status, told = await run("customers", "find", "web", customer.external_id)
    assert (status, told.startswith("punctual: ")) == (1, True)


async def test_an_export_holds_what_both_services_hold_and_is_noted(
    intake: Intake, run: Run, customer: Customer
) -> None:
    status, told = await run("customers", "export", customer.customer_id)
    held = json.loads(told)
    assert status == 0
    assert SUBMISSION["description"] in told
    assert [one["request"]["reference"] for one in held["intake"]["requests"]] == [customer.reference]
    assert held["notifier"]["contact"]["email"] == SUBMISSION["customer"]["email"]
    assert [one["who"] for one in held["notifier"]["read_by"]] == ["staff"]
    noted = (await intake.staff.get("/v1/audit", params={"who": "staff", "limit": 1})).json()
    assert [one["what"] for one in noted] == ["export"]


@pytest.mark.parametrize("existed", [False, True])
async def test_only_its_owner_can_read_the_file_of_an_export_even_where_all_could_read_the_one_before(
    run: Run, customer: Customer, tmp_path: Path, existed: bool
) -> None:
    file = tmp_path / "export.json"
    if existed:
        file.write_text("of another customer", encoding="utf-8")
        file.chmod(0o644)
    exported = await run("customers", "export", customer.customer_id, "--output", str(file))
    assert exported == (0, f"Wrote {file}; it holds personal data.\n")
    assert oct(S_IMODE(file.stat().st_mode)) == "0o600"
    assert json.loads(file.read_text(encoding="utf-8"))["intake"]["requests"]
    assert list(tmp_path.iterdir()) == [file]


async def test_an_export_that_cannot_be_written_or_is_not_allowed_leaves_no_file(
    run: Run, customer: Customer, tmp_path: Path
) -> None:
    file = tmp_path / "nowhere" / "export.json"
    refused = await run("customers", "export", customer.customer_id, "--output", str(file))
    assert refused == (78, f"punctual: {file}: No such file or directory\n")
    file = tmp_path / "export.json"
    status, _ = await run("customers", "export", customer.customer_id, "--output", str(file), "--key", "key of app")
    assert (status, file.exists()) == (1, False)


async def test_an_erasure_asks_waits_for_the_end_of_requests_and_proves_itself(run: Run, customer: Customer) -> None:
    erase = ("customers", "erase", customer.customer_id, "--reason", "letter of 3 March")
    status, told = await run(*erase, "--yes")
    assert (status, customer.reference in told) == (1, True)
    await customer.ends()
    assert (await run(*erase, answer="n\n"))[0] == 1
    nothing = await run("customers", "erasure", customer.customer_id)
    assert (nothing[0], nothing[1].startswith("punctual: ")) == (1, True)

    status, told = await run(*erase, answer="y\n")
    assert (status, "by staff: letter of 3 March" in told) == (0, True)
    status, told = await run("customers", "erasure", customer.customer_id)
    assert (status, [line.split()[0] for line in told.splitlines()[1:]].count("OPEN")) == (1, 1)
    await customer.notifier_erases()
    status, told = await run("customers", "erasure", customer.customer_id)
    assert (status, {line.split()[0] for line in told.splitlines()[1:]}) == (0, {"holds"})
    status, told = await run("customers", "erasure", customer.customer_id, "--json")
    assert (status, json.loads(told)["is_proved"]) == (0, True)

    left = json.loads((await run("customers", "export", customer.customer_id))[1])
    assert SUBMISSION["customer"]["email"] not in json.dumps(left)
    assert left["notifier"]["contact"] is None or left["notifier"]["contact"]["email"] is None
