"""Parsers of texts: parts of addresses, headers, words of the command line, words in files."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any
from zoneinfo import ZoneInfo

import jwt
from typer import BadParameter

from punctual.commands import automation, calendar, replay
from punctual.commands.up import parse_instant
from punctual.local.issuer.clients import is_challenge, may_be_answered_at, proves
from punctual.local.issuer.forms import BrokenForm, read_pairs
from punctual.local.parts.java import parse_version
from punctual.replay.mapping.instants import InstantReader, InstantUnreadable
from punctual.replay.mapping.model import Instants
from punctual.safe_address import require_safe
from punctual.staff.identity import claims_in
from punctual.staff.loopback import Loopback
from services.intake.api import etags
from services.intake.api.bodies import read_instant
from services.intake.api.change_stream import read_id
from services.intake.api.language import choose_language
from services.intake.api.paging import read_number
from services.intake.api.places import read_place, write_place
from services.intake.api.sealing import CursorSeal
from services.intake.api.timeline import read_moment, write_moment
from services.intake.domain.api_key import read_key, write_key
from services.intake.domain.validation import values
from services.intake.domain.validation.comparing import read_comparison
from services.intake.store.listing.wanted import Order, Place, Wanted
from services.intake.store.timeline import Moment
from services.notifier.api.notices import _which_request
from services.notifier.consumer import _bytes
from services.sla_timer.api import paging as clock_paging
from services.sla_timer.api.finding import _identify
from services.sla_timer.domain.policy_words import read_event
from services.sla_timer.domain.spans import read_budget
from services.sla_timer.store.reports import Place as ClockPlace
from shared.contracts.addresses import is_deliverable
from shared.contracts.envelope import find_payload
from shared.contracts.payload import Language
from shared.encryption import MasterKeys, Undecipherable
from shared.errors import ConfigurationError, Rejected
from shared.http import Problem
from shared.http.access.tokens import TokenRefused, read_header
from shared.ids import new_id, new_reference, new_secret, parse_reference, resembles_reference
from shared.inbox.deadletters import _is_uuid
from shared.rules.spans import read_span
from shared.rules.words import read_code, read_truth, read_word
from shared.settings import is_database_url, is_safe_address
from shared.worktime.local_time import parse_local, parse_time_of_day
from tests.access.issuing import ISSUER, NOW, claims_of, private_key
from tests.unit.parsers.parser import Parser, Read, check_usable


def _at_once(waited_for: Coroutine[Any, Any, object]) -> object:
    """What a coroutine gives that waits for nothing."""
    try:
        waited_for.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def _cursor_of(order: Order) -> Read:
    def read(text: str) -> None:
        place = read_place(text, Wanted(order=order), _SEAL)
        assert place is not None
        check_usable(place.at)

    return read


def _timeline_cursor(text: str) -> None:
    moment = read_moment(text)
    assert moment is not None
    check_usable(moment.placed_at)


def _clock_cursor(text: str) -> None:
    place = clock_paging.read_place(text)
    assert place is not None
    check_usable(place.due_at)


_UTC_INSTANTS = InstantReader(Instants(formats=("iso", "epoch_milliseconds", "%d/%m/%Y %H:%M"), zone="Asia/Taipei"))
_SEAL = CursorSeal("secret of the tests")
_PLACE = Place(new_id(), NOW, 7)
_TOKEN = jwt.encode(claims_of("handler"), private_key("first"), "ES256", {"kid": "first"})


def _browser(address: str) -> None:
    waiting = Loopback.__new__(Loopback)  # without the port it would listen on
    waiting._state = "7f3a"
    waiting._take(address)


TEXTS = (
    Parser("reference", parse_reference, (), (new_reference(), "k7m4q 2xd9c", "Ｋ７Ｍ４Ｑ－２ＸＤ９Ｃ")),
    Parser("text that may be a reference", resembles_reference, (), (new_reference(), "k7m4q – 2xd9c")),
    Parser("address of a database", is_database_url, (), ("postgresql://intake:secret@db:5432/punctual",)),
    Parser("address that keys go to", require_safe, ConfigurationError, ("https://intake.insurer.example",)),
    Parser("API key", read_key, (), (write_key("K7M4Q2XD", new_secret()),)),
    Parser("If-Match", lambda text: _at_once(etags._seen(text)), Problem, ('"7", W/"8.9f3c01ab"', "*")),
    Parser("cursor of a list", _cursor_of(Order.NEWEST), Problem, (str(new_id()), _SEAL.close(str(new_id())))),
    Parser(
        "cursor of a list by deadline", _cursor_of(Order.DUE), Problem, (write_place(_PLACE, Wanted(order=Order.DUE)),)
    ),
    Parser("cursor of a timeline", _timeline_cursor, Problem, (write_moment(Moment(NOW, "/punctual/intake", 3)),)),
    Parser("cursor of clocks", _clock_cursor, Problem, (clock_paging.write_place(ClockPlace(NOW, new_id())),)),
    Parser("cursor that is a number", read_number, Problem, ("731",)),
    Parser("cursor of versions", clock_paging.read_number, Problem, ("731",)),
    Parser("Last-Event-ID", read_id, (), (f"7731-{new_id().hex}-3",)),
    Parser(
        "Accept-Language",
        lambda text: choose_language(text, text, Language.ENGLISH),
        (),
        ("zh-TW,zh;q=0.9,en-US;q=0.8",),
    ),
    Parser("instant", lambda text: check_usable(read_instant(text)), ValueError, ("2026-11-22T09:30:00+08:00",)),
    Parser("e-mail address", is_deliverable, (), ("meiling@example.com",)),
    Parser("comparison", read_comparison, ValueError, ("policy_from <= occurred_on - 730d < submitted_at",)),
    Parser("date of an attribute", values.read_date, (), ("2026-11-22",)),
    Parser(
        "instant of an attribute",
        lambda text: check_usable(values.read_instant(text, ZoneInfo("Asia/Hong_Kong"))),
        (),
        ("2026-11-22T09:30", "2026-11-22T09:30:00Z"),
    ),
    Parser("event of a policy", read_event, ValueError, ("stage_entered:decision",)),
    Parser("span", read_span, ValueError, ("1d2h30m",)),
    Parser("budget", read_budget, ValueError, ("3 working days end of day", "8h working")),
    Parser("time of day", parse_time_of_day, ValueError, ("09:30:15",)),
    Parser("local date and time", parse_local, ValueError, ("2026-02-16T12:00",)),
    Parser("name in a rule", read_code, ValueError, ("claims_hk",)),
    Parser("word in a rule", read_word, ValueError, ("s-104",)),
    Parser("truth in a rule", read_truth, ValueError, ("true",)),
    Parser("instant of a log", _UTC_INSTANTS.read, InstantUnreadable, ("2026-03-02T09:00:00", "1772413200000")),
    Parser("form", read_pairs, BrokenForm, ("name=chan&ticket=a%20b",)),
    Parser("version of Java", parse_version, (), ('openjdk version "17.0.15" 2025-04-15',)),
    Parser("--clock-start", parse_instant, ConfigurationError, ("2026-03-02T09:00+08:00",)),
    Parser("address of an issuer", is_safe_address, (), ("https://login.insurer.example:8443/realms/staff",)),
    Parser(
        "header of a token",
        lambda text: read_header(text, ISSUER),
        TokenRefused,
        (_TOKEN,),
    ),
    Parser("claims of a token, for showing", claims_in, (), (_TOKEN,)),
    Parser("request whose clocks are asked for", _identify, Problem, (new_reference(), str(new_id()))),
    Parser("request whose notices are asked for", _which_request, Problem, (new_reference(), str(new_id()))),
    Parser("replay --begin", replay._instant, BadParameter, ("2026-03-02T09:00:00+08:00", "2026-03-02")),
    Parser("automation try --from", automation._instant, BadParameter, ("2026-03-02T09:00:00+08:00", "2026-03-02")),
    Parser("calendar import --years", calendar._years, BadParameter, ("2026", "2026-2027")),
    Parser("answer that a browser brings", _browser, (), ("/callback?state=7f3a&code=b1c9",)),
    Parser("id of a dead letter", _is_uuid, (), (str(new_id()),)),
    Parser("challenge", is_challenge, (), ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",)),
    Parser("verifier", lambda text: proves(text, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), (), ("v" * 43,)),
    Parser("address to go back to", lambda text: may_be_answered_at("punctual", text), (), ("http://127.0.0.1/",)),
    Parser("master keys", MasterKeys.parse, ValueError, (f"2026:{'A' * 43}=,2025:{'-_' * 21}A",)),
    Parser("octets in an event", _bytes, Undecipherable, ("AAEC",)),
    Parser("type of an event", find_payload, Rejected, ("punctual.request.paused.v1",)),
)
