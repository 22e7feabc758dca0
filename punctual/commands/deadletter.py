"""``punctual deadletter``: list, show and replay what a service could not handle."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Annotated

import typer
from rich.table import Table

from punctual.commands.options import JsonOption, folders_of, print_json
from punctual.local.ports import HOST
from punctual.local.run_record import recorded_ports, supervisor_of
from punctual.staff.screen import screen
from shared.contracts.deadletters import EventRejected
from shared.contracts.envelope import Event, decode
from shared.contracts.topics import DEADLETTERS
from shared.errors import PunctualError, Rejected
from shared.inbox.deadletters import REPLAY_FOR, REPLAY_OF
from shared.kafka import KafkaPublisher, OutgoingRecord, TopicPartition, read_record, read_topic
from shared.settings import PlatformSettings, load_settings

app = typer.Typer(no_args_is_help=True, help="List, show and replay events that a service could not handle.")

KafkaOption = Annotated[
    str | None,
    typer.Option(
        "--kafka",
        metavar="HOST:PORT",
        help="Bootstrap servers; by default PUNCTUAL_KAFKA_BOOTSTRAP, else the running local system.",
    ),
]


@app.command("list", epilog="Example: punctual deadletter list --service notifier")
def list_letters(
    service: Annotated[str | None, typer.Option(help="Only letters of this service.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only letters with this reason.")] = None,
    kafka: KafkaOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the dead letters, oldest first."""
    letters = [
        letter
        for letter in asyncio.run(_all(_bootstrap(kafka)))
        if service in {None, letter.service} and reason in {None, letter.reason}
    ]
    if as_json:
        print_json([_row(letter) for letter in letters])
        return
    if not letters:
        typer.echo("There are no dead letters.")
        return
    table = Table("id", "rejected at", "service", "reason", "origin", "detail")
    for letter in letters:
        row = _row(letter)
        table.add_row(row["id"], row["rejected_at"], letter.service, letter.reason, row["origin"], letter.detail)
    screen().print(table)


@app.command("show", epilog="Example: punctual deadletter show 0192f0c1-7a3e-7c11-9d52-0f6a3c1b2d4e")
def show_letter(letter_id: str, kafka: KafkaOption = None, as_json: JsonOption = False) -> None:
    """Show one dead letter with the event's headers and text."""
    letter = asyncio.run(_find(_bootstrap(kafka), letter_id))
    shown = {**_row(letter), "headers": letter.headers, "value": _text(letter)}
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        typer.echo(f"{name}: {json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value}")


@app.command("replay", epilog="Example: punctual deadletter replay --reason unknown_type --service sla_timer")
def replay_letters(
    letter_ids: Annotated[list[str] | None, typer.Argument(help="Ids of dead letters.")] = None,
    service: Annotated[str | None, typer.Option(help="All letters of this service.")] = None,
    reason: Annotated[str | None, typer.Option(help="All letters with this reason.")] = None,
    kafka: KafkaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send dead letters to their service again. Each is handled at most once, however often it is replayed."""
    if not letter_ids and service is None and reason is None:
        raise typer.BadParameter("name dead letters, or choose them with --service or --reason")
    replayed, gone = asyncio.run(_replay(_bootstrap(kafka), letter_ids or [], service, reason))
    if as_json:
        print_json({"replayed": replayed, "gone": gone})
        return
    typer.echo(f"{len(replayed)} replayed.")
    for letter_id in gone:
        typer.echo(f"{letter_id}: the original is no longer on its topic.", err=True)


def _bootstrap(given: str | None) -> str:
    """What the caller says, else what the environment says, else the local system's broker when it runs."""
    settings = load_settings(PlatformSettings)
    if given or "kafka_bootstrap" in settings.model_fields_set:
        return given or settings.kafka_bootstrap
    run = folders_of(None).run_file
    port = recorded_ports(run).get("kafka") if supervisor_of(run) else None
    return settings.kafka_bootstrap if port is None else f"{HOST}:{port}"


async def _letters(bootstrap: str) -> AsyncIterator[EventRejected]:
    async for record in read_topic(bootstrap, DEADLETTERS.name):
        try:
            event = decode(record.key, record.value, record.headers)
        except Rejected:
            continue  # somebody else wrote onto the topic; there is no dead letter of a dead letter
        if isinstance(event, Event) and isinstance(event.data, EventRejected):
            yield event.data


async def _all(bootstrap: str) -> list[EventRejected]:
    return sorted([letter async for letter in _letters(bootstrap)], key=lambda letter: letter.rejected_at)


async def _find(bootstrap: str, letter_id: str) -> EventRejected:
    async for letter in _letters(bootstrap):
        if str(letter.deadletter_id) == letter_id:
            return letter
    raise PunctualError(f"there is no dead letter {letter_id}")


async def _replay(
    bootstrap: str, letter_ids: list[str], service: str | None, reason: str | None
) -> tuple[list[str], list[str]]:
    letters = [letter for letter in await _all(bootstrap) if _is_chosen(letter, letter_ids, service, reason)]
    if unknown := set(letter_ids) - {str(letter.deadletter_id) for letter in letters}:
        raise PunctualError(f"there is no dead letter {', '.join(sorted(unknown))}")
    publisher = KafkaPublisher(bootstrap, "punctual-deadletter")
    replayed: list[str] = []
    gone: list[str] = []
    try:
        for letter in letters:
            # The topic itself is read again: dead letters of personal data carry no bytes.
            where = TopicPartition(letter.origin_topic, letter.origin_partition)
            original = await read_record(bootstrap, where, letter.origin_offset)
            if original is None:
                gone.append(str(letter.deadletter_id))
                continue
            headers = [header for header in original.headers if header[0] not in {REPLAY_OF, REPLAY_FOR}]
            headers += [(REPLAY_OF, str(letter.deadletter_id).encode()), (REPLAY_FOR, letter.service.encode())]
            await publisher.publish(
                [OutgoingRecord(letter.origin_topic, original.key or b"", original.value, tuple(headers))]
            )
            replayed.append(str(letter.deadletter_id))
    finally:
        await publisher.close()
    return replayed, gone


def _is_chosen(letter: EventRejected, letter_ids: list[str], service: str | None, reason: str | None) -> bool:
    if letter_ids:
        return str(letter.deadletter_id) in letter_ids
    return service in {None, letter.service} and reason in {None, letter.reason}


def _row(letter: EventRejected) -> dict[str, str]:
    return {
        "id": str(letter.deadletter_id),
        "rejected_at": letter.rejected_at.isoformat(timespec="seconds"),
        "service": letter.service,
        "reason": letter.reason,
        "detail": letter.detail,
        "origin": f"{letter.origin_topic}/{letter.origin_partition}@{letter.origin_offset}",
    }


def _text(letter: EventRejected) -> str | None:
    if letter.value_base64 is None:
        return None
    return base64.b64decode(letter.value_base64).decode(errors="backslashreplace")
