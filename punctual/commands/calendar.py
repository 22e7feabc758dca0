"""``punctual calendar``: holidays and make-up working days from the `holidays` library, as text to check and keep."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from punctual.commands.options import JsonOption, print_json
from punctual.staff.options import KeyOption, UrlOption, read_text

if TYPE_CHECKING:
    from holidays import HolidayBase

CalendarsArgument = Annotated[Path, typer.Argument(help="The whole of calendars.yml.", metavar="FILE")]

_GENERAL_HOLIDAYS = {"HK": ("public", "optional"), "MO": ("public", "optional")}
"""Where ``public`` are only the statutory holidays and offices close on the general ones."""

_MAKEUP_DAYS_PUBLISHED = {"TW": 2026}
"""Last year whose arrangement is in the library (0.109) although it has no make-up day; else the last that has one."""

_RECENT = 2020  # a country that has had no make-up day since then has none
_WEEKEND = frozenset({5, 6})
_YEARS = re.compile(r"(\d{4})(?:-(\d{4}))?")
_MOST_YEARS = 50


@dataclass(frozen=True, slots=True)
class Imported:
    """What the library knows.

    Attributes:
        makeup_days: weekend days that are worked, with what for.
        known_until: the last date for which nothing is missing or estimated.
        warnings: why that is earlier than what was asked for.
    """

    holidays: Mapping[date, str]
    makeup_days: Mapping[date, str]
    known_until: date
    warnings: tuple[str, ...]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    calendar = typer.Typer(
        help="Working calendars.",
        no_args_is_help=True,
        epilog="Example: punctual calendar import --country HK --years 2026-2027",
    )
    calendar.command("import", epilog="Example: punctual calendar import --country HK --years 2026-2027")(import_)
    calendar.command("diff", epilog="Example: punctual calendar diff calendars.yml")(diff)
    calendar.command("apply", epilog='Example: punctual calendar apply calendars.yml --reason "holidays of 2027"')(
        apply
    )
    app.add_typer(calendar, name="calendar")


def import_(
    country: Annotated[str, typer.Option(help="Code of the country, such as HK, CN, TW, MO, SG.")],
    years: Annotated[str, typer.Option(help="A year, or the first and the last.", metavar="YYYY[-YYYY]")],
    name: Annotated[str | None, typer.Option(help="Name of the calendar; printed above its fields.")] = None,
    subdiv: Annotated[str | None, typer.Option(help="Part of the country with holidays of its own.")] = None,
    language: Annotated[str, typer.Option(help="Of the names, such as zh_HK.")] = "en_US",
    category: Annotated[
        list[str] | None,
        typer.Option(help="Sort of holidays, repeatable; for HK and MO public and optional, else public."),
    ] = None,
    with_weekends: Annotated[
        bool, typer.Option("--with-weekends", help="List holidays on weekend days too: the office works then.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print holidays, make-up working days and the date until which they are known. Check them before use."""
    try:
        found = read_library(country.upper(), _years(years), subdiv, language, category, with_weekends)
    except (RuntimeError, ValueError) as error:  # the library names what it does not know
        raise typer.BadParameter(str(error)) from None
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if as_json:
        print_json(_as_json(found))
    else:
        typer.echo("\n".join(as_yaml(found, name)))


def diff(file: CalendarsArgument, url: UrlOption = None, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Show what is different from what is in force, and which deadlines would move."""
    from punctual.staff.changing import draft_of, tell_preview
    from punctual.staff.connection import connected

    with connected(url, key) as connection:
        tell_preview(connection, draft_of(calendars=file), as_json=as_json)


def apply(
    file: CalendarsArgument,
    reason: Annotated[str, typer.Option(help="Why, in a few words; kept with the version.")],
    running: Annotated[
        bool, typer.Option("--running", help="Let clocks that run follow, too; without it they keep their calendars.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not show what would change, and do not ask.")] = False,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put calendars in force. What would change is shown first, and you are asked."""
    from punctual.staff.changing import put_in_force, tell_version
    from punctual.staff.connection import connected

    with connected(url, key) as connection:
        shown = put_in_force(connection, "calendars", read_text(file), reason, is_running=running, is_sure=yes)
    tell_version(shown, as_json=as_json)


def read_library(
    country: str,
    years: range,
    subdiv: str | None = None,
    language: str | None = "en_US",
    categories: Iterable[str] | None = None,
    with_weekends: bool = False,
) -> Imported:
    """Raises:
    RuntimeError, ValueError: the library does not know the country, its part, or the category.
    """
    import holidays

    def known(span: range) -> HolidayBase:
        return holidays.country_holidays(
            country,
            subdiv=subdiv,
            years=span,
            language=language,
            categories=tuple(categories) if categories else _GENERAL_HOLIDAYS.get(country, ("public",)),
        )

    # What is observed at New Year belongs to the year beside; arrangements are looked for in all recent years.
    found = known(range(min(years.start - 1, _RECENT), years.stop + 1))
    weekend = frozenset(found.weekend) if len(found.weekend) >= len(_WEEKEND) else _WEEKEND
    makeup_days = sorted(found.weekend_workdays)
    until, warnings = _known_until(country, years, found, makeup_days)
    asked = {day: text for day, text in sorted(found.items()) if day.year in years}
    return Imported(
        holidays={
            day: text
            for day, text in asked.items()
            if day not in found.weekend_workdays and (with_weekends or day.weekday() not in weekend)
        },
        makeup_days={day: _reason(day, found) for day in makeup_days if day.year in years},
        known_until=date(until, 12, 31),
        warnings=tuple(warnings),
    )


def as_yaml(found: Imported, name: str | None) -> Iterator[str]:
    """The lines of a calendar's fields, indented as in calendars.yml."""
    if name is not None:
        yield f"  {name}:"
    yield f"    known_until: {found.known_until}"
    yield "    holidays:"
    yield from _entries(found.holidays, "      ")
    if found.makeup_days:
        yield "    makeup_days:"
        yield "      hours_of: mon"
        yield "      dates:"
        yield from _entries(found.makeup_days, "        ")


def _entries(named: Mapping[date, str], indent: str) -> Iterator[str]:
    for day, text in named.items():
        entry = yaml.safe_dump({day: text}, allow_unicode=True, width=1000)
        yield indent + entry.rstrip()


def _known_until(country: str, years: range, found: HolidayBase, makeup_days: Iterable[date]) -> tuple[int, list[str]]:
    """The last year of which nothing is missing, and why it is not the last one asked for."""
    until, warnings = years[-1], []
    with_makeup = [day.year for day in makeup_days if day.year >= _RECENT]
    if with_makeup or country in _MAKEUP_DAYS_PUBLISHED:
        last = max([*with_makeup, _MAKEUP_DAYS_PUBLISHED.get(country, 0)])
        if last < until:
            until = last
            warnings.append(
                f"the library knows the make-up working days of {country} until {last} only; "
                f"what is listed for later years is provisional, and known_until ends with {last}"
            )
    # Libraries call a date estimated that depends on the moon or on an announcement; the label is in any language.
    label = str(found.tr(getattr(found, "estimated_label", "") or "")).replace("%s", "").strip(" ()（）")
    estimated = [day.year for day, text in found.items() if day.year in years and label and label in text]
    if estimated and min(estimated) <= until:
        until = min(estimated) - 1
        warnings.append(f"some holidays of {country} are estimated from {until + 1} on; known_until ends with {until}")
    return until, warnings


def _reason(worked: date, found: HolidayBase) -> str:
    """The day off that a make-up day pays for, which the library tells in the name of that day."""
    written = worked.strftime(str(found.tr(getattr(found, "substituted_date_format", "%Y-%m-%d"))))
    return next((f"worked for {day}" for day, text in sorted(found.items()) if written in text), "worked")


def _years(text: str) -> range:
    match = _YEARS.fullmatch(text)
    if match is None:
        raise typer.BadParameter("a year such as 2026, or two such as 2026-2027, is needed", param_hint="--years")
    first, last = int(match[1]), int(match[2] or match[1])
    if not 0 <= last - first < _MOST_YEARS:
        raise typer.BadParameter(f"at most {_MOST_YEARS} years, the first one first", param_hint="--years")
    return range(first, last + 1)


def _as_json(found: Imported) -> dict[str, Any]:
    return {
        "known_until": str(found.known_until),
        "holidays": {str(day): text for day, text in found.holidays.items()},
        "makeup_days": {str(day): text for day, text in found.makeup_days.items()},
        "warnings": list(found.warnings),
    }
