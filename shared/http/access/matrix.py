"""Who may call which route: read from a YAML file, so that an auditor can read it too.

    groups:
      readers: [handler, team_leader, auditor]
    routes:
      GET /v1/clocks/{request}: [readers, channel]
      POST /v1/requests: {for: channel, scope: submit}
      GET /healthz: anybody

A route admits roles, ``channel``, groups of these, or ``anybody``, who needs no credentials. A key that has scopes is
let through only where the route names one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.http.access.principal import Principal, Scope, StaffRole
from shared.rules.document import Complaint, Document, Field, InvalidDocument, refusing

ANYBODY = "anybody"
CHANNEL = "channel"

_WORDS = frozenset({*StaffRole, CHANNEL})
_ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)")
_GROUP = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let through one route.

    Attributes:
        words: roles and ``channel``; empty where ``is_open``.
        line: of the file, from 1.
        scope: what a key that has scopes must have; None lets no such key through.
    """

    words: frozenset[str]
    is_open: bool
    line: int
    scope: Scope | None = None

    def admits(self, principal: Principal) -> bool:
        if principal.kind == CHANNEL:
            return CHANNEL in self.words
        return bool(self.words & principal.roles)

    def is_in_scope(self, principal: Principal) -> bool:
        scopes = principal.terms.scopes if principal.terms is not None else None
        return scopes is None or self.scope in scopes

    def described(self) -> str:
        """Roles in the order of the house, then channels."""
        roles = [role.value for role in StaffRole if role in self.words]
        return ", ".join([*roles, *([CHANNEL] if CHANNEL in self.words else [])])


@dataclass(frozen=True, slots=True)
class Matrix:
    """Attributes:
    routes: ``GET /v1/clocks`` -> who may call it.
    """

    file: str
    routes: Mapping[str, Admission]

    def check(self, guarded: Iterable[str], unguarded: Iterable[str]) -> None:
        """Compare with the routes an application has.

        Args:
            unguarded: routes that nothing can stand before; the file must say that anybody may call them.

        Raises:
            InvalidDocument: names every route that the file lacks, has too much, or promises to guard in vain.
        """
        has, open_ones = set(guarded), set(unguarded)
        wrong = [self._complain(1, route, "is a route and missing here") for route in has - self.routes.keys()]
        for route, admission in self.routes.items():
            if route not in has | open_ones:
                wrong.append(self._complain(admission.line, route, "is no route of this service"))
            elif route in open_ones and not admission.is_open:
                wrong.append(self._complain(admission.line, route, "cannot be guarded; say anybody"))
        wrong += [self._complain(1, route, "is a route and missing here") for route in open_ones - self.routes.keys()]
        if wrong:
            raise InvalidDocument(sorted(wrong, key=lambda complaint: (complaint.line, complaint.field)))

    def _complain(self, line: int, route: str, message: str) -> Complaint:
        return Complaint(self.file, line, f"routes.{route}", message)


def read_matrix(text: str, file: str) -> Matrix:
    """Read the file's text.

    Raises:
        InvalidDocument: names file, line and field of everything that is wrong.
    """
    with refusing(file):
        return _read(Document(text, file))


def _read(document: Document) -> Matrix:
    members = document.root.members(frozenset({"routes"}), frozenset({"groups"}))
    groups: dict[str, frozenset[str]] = {}
    for name, entry in members["groups"].entries().items() if "groups" in members else ():
        with document.collecting():
            groups[name] = _group(name, entry)
    routes: dict[str, Admission] = {}
    for route, entry in members["routes"].entries().items():
        with document.collecting():
            routes[route] = _admission(route, entry, groups)
    document.finish()
    return Matrix(document.file, routes)


def _group(name: str, field: Field) -> frozenset[str]:
    if not _GROUP.fullmatch(name) or name in _WORDS | {ANYBODY}:
        raise field.fail("is not a name for a group: a word in small letters that is no role")
    return _resolved(field, {})


def _admission(route: str, field: Field, groups: Mapping[str, frozenset[str]]) -> Admission:
    if not _ROUTE.fullmatch(route):
        raise field.fail("is not a method and a path such as GET /v1/clocks")
    scope = None
    if field.is_mapping:
        members = field.members(frozenset({"for", "scope"}))
        scope = members["scope"].parse(_scope)
        field = members["for"]
    elif [entry.text() for entry in field.items_or_self()] == [ANYBODY]:
        return Admission(frozenset(), is_open=True, line=field.line)
    return Admission(_resolved(field, groups), is_open=False, line=field.line, scope=scope)


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise ValueError(f"{text!r} is not one of {', '.join(sorted(Scope))}") from None


def _resolved(field: Field, groups: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found: set[str] = set()
    for entry in field.items_or_self():
        word = entry.text()
        if word == ANYBODY:
            raise entry.fail(f"{ANYBODY} stands alone")
        if word not in _WORDS and word not in groups:
            raise entry.fail(f"{word!r} is not one of {', '.join(sorted({*_WORDS, *groups}))}")
        found |= groups.get(word, frozenset({word}))
    if not found:
        raise field.fail("admits nobody")
    return frozenset(found)
