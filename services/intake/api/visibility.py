"""What a caller sees, whom a caller acts as, and for which channel a caller submits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.intake.domain.moves import Assign, Move
from services.intake.domain.reviews import ReviewSight
from services.intake.domain.visibility import Visibility
from shared.contracts.payload import is_code
from shared.http import FieldError, Problem
from shared.http.access import OVERSEERS, Principal, Scope, StaffRole

_LEADS = frozenset({StaffRole.TEAM_LEADER, StaffRole.MANAGER, StaffRole.ADMINISTRATOR})
_NOT_SAID: Any = object()


def visibility_of(principal: Principal) -> Visibility:
    """A channel its own; who handles or leads what the teams of the token have and what no team has; all others all."""
    return Visibility(principal.visible_channel, principal.visible_teams)


def review_sight_of(principal: Principal) -> ReviewSight:
    """By the roles alone, so that a program that handles cases for people knows no more than they do.

    A staff key with scopes is an administrator's, and yet moving and reading cases is what most of them are for: it is
    told of what was chosen only with the scope for quality.
    """
    if principal.kind == "channel":
        return ReviewSight.NOTHING
    scopes = principal.terms.scopes if principal.terms is not None else None
    is_of_quality = scopes is None or Scope.QUALITY in scopes
    return ReviewSight.ALL if is_of_quality and principal.roles & OVERSEERS else ReviewSight.FINISHED


def gets_link(principal: Principal) -> bool:
    """Whether the caller is told the link of the customer's page: whoever has it may answer as the customer, unnamed.

    So channels and services are, which hand it on, and people are not, whose work the customer is asked about.
    """
    return principal.kind != "staff"


def acting(principal: Principal, move: Move) -> Move:
    """The move with who did it. A person who only handles requests acts in his own name; others say who did it.

    Whom a request is assigned to is not who did it, so everybody who may assign may name anybody.

    Raises:
        Problem: 403, it names another.
    """
    if principal.kind != "staff" or principal.roles & _LEADS or isinstance(move, Assign):
        return move
    named = getattr(move, "handler", _NOT_SAID)  # some moves do not say who did them
    if named is _NOT_SAID:
        return move
    if named not in {None, principal.name}:
        raise Problem(
            403,
            "other_handler",
            "Only who leads may say that somebody else did it",
            f"You are signed in as {principal.name}.",
            [FieldError(field="handler", message="is not you")],
        )
    changed: Any = {"handler": principal.name if is_code(principal.name) else None}
    return replace(move, **changed)


def submitting_channel(principal: Principal) -> str:
    """The channel of what the caller submits: the name of the key.

    Raises:
        Problem: 403, a token names no channel, and customers are known per channel.
    """
    if principal.terms is None:
        raise Problem(
            403,
            "key_needed",
            "Requests are submitted with an API key",
            "A request belongs to the channel that the key is named after; a token names none.",
        )
    return principal.name
