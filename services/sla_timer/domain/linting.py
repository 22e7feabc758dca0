"""Remarks about policies that can be used but may not mean what their author meant. They say only what is certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.sla_timer.domain.linting_objectives import remark_on_objective
from services.sla_timer.domain.rules import Policy
from services.sla_timer.domain.witnesses import Effort, TooHard, find_witness

_EFFORT_OF_ALL = 500_000  # some ten seconds, reached by two hundred policies that all overlap; then nothing is said
_EFFORT_OF_ONE = 20_000  # a question that takes more is not answered; a usual one takes some dozens


@dataclass(frozen=True, slots=True)
class Remark:
    """Attributes:
    line: of the policy, or of the objective, from 1.
    """

    file: str
    line: int
    policy: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, {self.policy}: {self.message}"


def find_remarks(policies: Sequence[Policy], lines: Mapping[str, int], file: str) -> list[Remark]:
    """Policies that can never apply, those whose order decides between them, and objectives that cannot be meant so.

    Args:
        lines: where each policy and each objective begins, as ``policy_lines`` gives them.

    Returns:
        In the order of the text.
    """
    remarks: list[Remark] = []
    order = _Order(policies)
    for index, policy in enumerate(policies):
        if not policy.is_default:
            remarks += [Remark(file, lines[policy.code], policy.code, message) for message in order.remark_on(index)]
        for objective in policy.objectives:
            line = lines[f"{policy.code}.{objective.code}"]
            remarks += [
                Remark(file, line, policy.code, f"{objective.code} {message}")
                for message in remark_on_objective(objective)
            ]
    return sorted(remarks, key=lambda remark: remark.line)


class _Order:
    """What the order of the policies makes of each."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = policies
        self._left = _EFFORT_OF_ALL

    def remark_on(self, index: int) -> Iterator[str]:
        policy = self._policies[index]
        if self._is_excluded([policy], []):
            yield "can never apply: no request meets its conditions"
            return
        before = [other for other in self._policies[:index] if not self._is_excluded([policy, other], [])]
        takers = next(([other] for other in before if self._is_excluded([policy], [other])), None)
        if takers is None and len(before) > 1 and self._is_excluded([policy], before):
            takers = before
        if takers is not None:
            yield f"can never apply: {_list(takers)} before it {'take' if len(takers) > 1 else 'takes'} all of it"
            return
        for other in before:
            if self._is_shown([policy, other], []) and self._is_shown([other], [policy]):
                yield f"overlaps with {other.code}, which comes first and wins for what both name"

    def _is_excluded(self, meets: Sequence[Policy], misses: Sequence[Policy]) -> bool:
        """Whether it is certain that no request meets the ones and misses the others."""
        return self._find(meets, misses, patterns_vary=True) is False

    def _is_shown(self, meets: Sequence[Policy], misses: Sequence[Policy]) -> bool:
        """Whether it is certain that some request does."""
        return self._find(meets, misses, patterns_vary=False) is True

    def _find(self, meets: Sequence[Policy], misses: Sequence[Policy], *, patterns_vary: bool) -> bool | None:
        if not self._left:
            return None
        effort = Effort(min(_EFFORT_OF_ONE, self._left))
        allowed = effort.left
        try:
            found = find_witness(
                [policy.condition for policy in meets],
                [policy.condition for policy in misses],
                effort,
                patterns_vary=patterns_vary,
            )
        except TooHard:
            return None
        finally:
            self._left -= allowed - max(effort.left, 0)
        return found is not None


def _list(policies: Sequence[Policy]) -> str:
    *others, last = [policy.code for policy in policies]
    return f"{', '.join(others)} and {last}" if others else last
