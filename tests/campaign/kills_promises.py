"""What the requests of the kill campaign are promised: plain data, and the same as a policy file.

Every calendar is always open, so working time is elapsed time and a deadline is an addition. Budgets are minutes of
business time, which a fast clock makes seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

ANY = "*"


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@dataclass(frozen=True)
class Promise:
    """One objective. Words are those of policies: ``closed``, ``closed:settled``, ``stage_entered:assessment``.

    Attributes:
        budget, urgent_budget: minutes; the second while the request is urgent.
        budget_kind: how the file says it; the same thing on calendars that never close.
        warned_after: fractions of the budget.
        warned_before: minutes before the deadline; numbered on after those.
        escalated_after: minutes after the deadline.
        again_every, times: how the last escalation repeats; nothing: it comes once.
        longest_pause: minutes; nothing: a pause may last for ever.
        pause_ends_itself: whether the clock goes on after the longest pause.
        between: words that begin and end a pause of its own.
    """

    code: str
    starts: tuple[str, ...]
    stops: tuple[str, ...]
    budget: int
    urgent_budget: int
    budget_kind: str = "elapsed"
    warned_after: tuple[float, ...] = ()
    warned_before: tuple[int, ...] = ()
    escalated_after: tuple[int, ...] = ()
    again_every: int | None = None
    times: int = 1
    resets: tuple[str, ...] = ()
    cancels: tuple[str, ...] = ()
    paused_by: tuple[str, ...] = ()
    between: tuple[str, str] | None = None
    longest_pause: int | None = None
    pause_ends_itself: bool = False
    from_previous_exit: bool = False
    change_restarts: bool = False

    def span(self, *, is_urgent: bool) -> timedelta:
        return minutes(self.urgent_budget if is_urgent else self.budget)


WITHDRAWN = "withdrawn"
"""The outcome with which a request ends without a verdict."""

PROMISES: tuple[Promise, ...] = (
    Promise(
        "response",
        starts=("submitted",),
        stops=("responded", "closed"),
        budget=10,
        urgent_budget=5,
        warned_after=(0.5,),
        warned_before=(2,),
        escalated_after=(2, 4),
        again_every=2,
        times=3,
    ),
    Promise(
        "resolution",
        starts=("submitted", "reopened"),
        stops=("closed",),
        budget=24,
        urgent_budget=14,
        budget_kind="working",
        warned_after=(0.5, 0.75),
        escalated_after=(3, 5),
        again_every=2,
        times=4,
        paused_by=("customer_documents", "third_party"),
        longest_pause=9,
    ),
    Promise(
        "next_response",
        starts=("message_received",),
        stops=("responded", "closed"),
        budget=6,
        urgent_budget=4,
        warned_after=(0.5,),
        escalated_after=(3,),
        change_restarts=True,
    ),
    Promise(
        "periodic_update",
        starts=("submitted", "responded", "customer_informed"),
        stops=("responded", "customer_informed", "closed"),
        budget=9,
        urgent_budget=7,
        warned_before=(3,),
        escalated_after=(1,),
        again_every=1,
        times=5,
    ),
    Promise(
        "assessment",
        starts=("stage_entered:assessment",),
        stops=("stage_left:assessment", "closed"),
        budget=7,
        urgent_budget=4,
        budget_kind="working",
        warned_after=(0.75,),
        escalated_after=(2,),
        paused_by=(ANY,),
        longest_pause=5,
        pause_ends_itself=True,
    ),
    Promise(
        "decision",
        starts=("stage_entered:decision",),
        stops=("stage_left:decision", "closed"),
        budget=5,
        urgent_budget=4,
        warned_after=(0.5,),
        from_previous_exit=True,
    ),
    Promise(
        "inspection",
        starts=("signalled:inspection_ordered",),
        stops=("signalled:inspection_done", "closed"),
        resets=("signalled:inspection_moved",),
        cancels=("signalled:inspection_dropped",),
        budget=8,
        urgent_budget=6,
        warned_after=(0.25, 0.5),
        escalated_after=(1, 2),
        between=("signalled:access_denied", "signalled:access_granted"),
    ),
)

CALENDARS = """\
format: 1
calendars:
  always_open:
    timezone: Asia/Hong_Kong
    known_until: 2035-12-31
    weekly:
{days}
"""


def write_calendars() -> str:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return CALENDARS.format(days="\n".join(f'      {day}: [["00:00", "24:00"]]' for day in days))


def write_policies() -> str:
    """The policy file: urgent requests have their own budgets, everything else the usual ones."""
    lines = ["format: 1", "calendars: {HK: always_open, CN: always_open, TW: always_open}", "policies:"]
    lines += _policy("urgent", is_urgent=True)
    lines += _policy("usual", is_urgent=False)
    return "\n".join([*lines, ""])


def _policy(name: str, *, is_urgent: bool) -> list[str]:
    lines = [f"  - policy: {name}"]
    if is_urgent:
        lines.append("    when: {priority: urgent}")
    lines += [f"    cancelled_by: [{WITHDRAWN}]", "    objectives:"]
    for promise in PROMISES:
        lines.append(f"      {promise.code}:")
        lines += [f"        {line}" for line in _fields(promise, is_urgent=is_urgent)]
    return lines


def _fields(promise: Promise, *, is_urgent: bool) -> list[str]:
    budget = promise.urgent_budget if is_urgent else promise.budget
    lines = [f"budget: {budget}m {promise.budget_kind}", f"starts: {_list(promise.starts)}"]
    lines += [f"stops: {_list(promise.stops)}"]
    if promise.resets:
        lines.append(f"resets: {_list(promise.resets)}")
    if promise.cancels:
        lines.append(f"cancelled_by: {_list(promise.cancels)}")
    if promise.paused_by:
        lines.append(f"paused_by: {_list(promise.paused_by)}")
    if promise.between is not None:
        lines += [f"pauses: [{{from: {_quoted(promise.between[0])}, to: {_quoted(promise.between[1])}}}]"]
    if promise.longest_pause is not None:
        resumes = "true" if promise.pause_ends_itself else "false"
        lines.append(f"longest_pause: {{after: {promise.longest_pause}m, roles: [team_lead], resumes: {resumes}}}")
    if promise.from_previous_exit:
        stage = promise.starts[0].partition(":")[2]
        lines = [line for line in lines if not line.startswith(("starts", "stops"))]
        lines = ["kind: stage", f"stage: {stage}", "from: previous_exit", *lines]
    if promise.change_restarts:
        lines.append("on_change: restart")
    warnings = [f"{{fraction: {fraction}, roles: [team_lead]}}" for fraction in promise.warned_after]
    warnings += [f"{{before: {before}m, roles: [team_lead]}}" for before in promise.warned_before]
    lines += ["warnings:", *(f"  - {warning}" for warning in warnings), "breach: {roles: [team_lead]}"]
    if promise.escalated_after:
        lines.append("escalations:")
    for number, after in enumerate(promise.escalated_after, start=1):
        is_repeated = promise.again_every is not None and number == len(promise.escalated_after)
        again = f", every: {promise.again_every}m, times: {promise.times}" if is_repeated else ""
        lines.append(f"  - {{after: {after}m, roles: [operations_manager]{again}}}")
    return lines


def _list(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(_quoted(word) for word in words) + "]"


def _quoted(word: str) -> str:
    return f'"{word}"'
