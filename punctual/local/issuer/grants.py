"""What is under way: sign-ins that wait for a password, and codes that wait to be redeemed. In memory, for minutes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.ids import new_secret

T = TypeVar("T")

SIGN_IN_SECONDS = 600.0  # somebody looks for the password
CODE_SECONDS = 60.0  # a program passes it on at once

_MOST = 1000


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a program asked for.

    Attributes:
        challenge: of PKCE.
        browser: the secret in the cookie of the browser that asked; another browser must not go on with it.
    """

    client_id: str
    redirect_uri: str
    state: str
    scope: str
    nonce: str | None
    challenge: str
    browser: str


@dataclass(slots=True)
class Code:
    """A sign-in that succeeded.

    Attributes:
        family: of the tokens it was redeemed for; None until then.
    """

    sign_in: SignIn
    account: str
    signed_in_at: int
    family: str | None = None


class Waiting(Generic[T]):
    """Things under secret names, for a time. Old ones give way when there are too many."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._things: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def put(self, thing: T, now: float) -> str:
        name = new_secret()
        self._things[name] = (now + self._seconds, thing)
        while len(self._things) > _MOST:
            self._things.popitem(last=False)
        return name

    def get(self, name: str, now: float) -> T | None:
        until, thing = self._things.get(name, (now, None))
        return thing if until > now else None

    def drop(self, name: str) -> None:
        self._things.pop(name, None)
