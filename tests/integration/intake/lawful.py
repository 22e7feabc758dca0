"""Follows a request by the process definition's own YAML, without the engine: what may happen, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import yaml

from tests.unit.intake.shipped import FILES

DEFINITIONS: dict[str, dict[str, Any]] = {
    definition["process"]: definition for definition in map(yaml.safe_load, FILES.values())
}

_AFTER_THE_END = {
    "noted",
    "attached",
    "message_received",
    "customer_informed",
    "feedback_given",
    "complained",
    "finding_confirmed",
    "finding_dismissed",
}


class LawfulLife:
    """Args:
        attributes, product_line: that the submission gave.

    Attributes:
        definition: that it follows now.
    """

    def __init__(
        self, definition: Mapping[str, Any], attributes: Mapping[str, Any], product_line: str | None = None
    ) -> None:
        self.definition = definition
        self._attributes = dict(attributes)
        self._product_line = product_line
        self._findings: dict[str, str] = {}
        self._version = 0
        self._stage: str = definition["start"]
        self._has_left = False
        self._controls: dict[str, bool] = {}
        self._waits: list[str] = []
        self._awaited: dict[str, set[str]] = {}
        self._follows_next: list[tuple[str, Any]] = []
        self._assigned: dict[str, str | None] = {"team": None, "handler": None}
        self._acknowledged = self._responded = False
        self._ending: tuple[str | None, str | None, str | None] = (None, None, None)
        self._score: int | None = None
        self._closed_at: datetime | None = None
        self._reopened_at: datetime | None = None
        self._is_reopening = False

    def objections(self, verb: str, body: Mapping[str, Any], now: datetime) -> list[str]:
        """Why the call would be refused; none when it is lawful. ``now`` is when it would happen."""
        kind, data = _entry_of(verb, body)
        if kind == "changed" and self._ending[0] is None:
            is_moved = body.get("product_line", self._product_line) != self._product_line
            is_different = is_moved or body.get("attributes", {}).items() - self._attributes.items()
            return [] if is_different else ["nothing is different"]
        found = list(self._judge(kind, data, now))
        if kind == "control_recorded":
            asked = control_points(self._stages[self._stage]).get(data["control"], [])
            found += [f"{name} was not recorded" for name in asked if name not in body.get("recorded", {})]
        return found

    def follow(self, entry: Mapping[str, Any]) -> list[str]:
        """Take the next entry of the history, as the API shows it; what is unlawful about it."""
        kind, data, at = entry["type"], entry["data"], datetime.fromisoformat(entry["occurred_at"])
        if self._version == 0:
            found = [] if kind == "submitted" else ["it does not begin with the submission"]
        else:
            found = list(self._judge(kind, data, at))
        if self._follows_next and (kind, data.get("reason", data.get("documents"))) != self._follows_next.pop(0):
            found.append("all documents are there and it does not go on")
        self._version += 1
        if entry["sequence"] != self._version:
            found.append(f"number {self._version} is missing or there twice")
        self._take(kind, data, at)
        return [f"entry {entry['sequence']}, {kind} {data}: {objection}" for objection in found]

    @property
    def stands(self) -> dict[str, Any]:
        """What the API must show."""
        ended, outcome, reason = self._ending
        return {
            "version": self._version,
            "state": ended or ("paused" if self._waits else "open"),
            "stage": self._stage,
            "controls": self._controls,
            "pause_reasons": self._waits,
            "acknowledged": self._acknowledged,
            "responded": self._responded,
            **self._assigned,
            "outcome": outcome,
            "reason": reason,
            "attributes": self._attributes,
            "awaited": {reason: sorted(asked) for reason, asked in self._awaited.items()},
            "process": self.definition["process"],
            "product_line": self._product_line,
            "findings": self._findings,
            "score": self._score,
        }

    @property
    def _stages(self) -> Mapping[str, Any]:
        stages: Mapping[str, Any] = self.definition["stages"]
        return stages

    @property
    def _doubts(self) -> list[str]:
        return [rule for rule, judged in self._findings.items() if judged == "open"]

    def _judge(self, kind: str, data: Mapping[str, Any], at: datetime) -> Iterator[str]:
        here = self._stages[self._stage]
        if kind in ("closed", "cancelled", "merged") and self._reopened_at is not None and at < self._reopened_at:
            yield "it ends before it was reopened"
        if kind == "reopened":
            yield from self._judge_reopening(data["reason"], at)
        elif self._ending[0] is not None and kind not in _AFTER_THE_END:
            yield f"it had ended {self._ending[0]}"
        elif kind == "stage_entered":
            yield from self._judge_stage(data["stage"], here)
        elif kind == "stage_left":
            if self._has_left or not here.get("next"):
                yield "nothing to leave for"
            yield from self._lacks(here)
        elif kind == "control_recorded" and data["control"] not in control_points(here):
            yield "no such control point here"
        elif kind == "paused":
            yield from self._judge_pause(data["reason"], set(data.get("documents", [])))
        elif kind == "resumed" and data["reason"] not in self._waits:
            yield "it did not wait for that"
        elif kind == "acknowledged" and self._acknowledged:
            yield "it was acknowledged before"
        elif kind == "assigned" and self._assigned_by(data) == self._assigned:
            yield "it was assigned so before"
        elif kind == "closed":
            yield from self._judge_closing(data["outcome"], data.get("reason"), here)
        elif kind == "cancelled" and data["reason"] not in self.definition["cancelling"]:
            yield "no reason to cancel"
        elif kind == "process_changed":
            yield from self._judge_following(data["process"], data.get("stage"))
        elif kind in ("finding_confirmed", "finding_dismissed") and data["rule"] not in self._doubts:
            yield "nobody doubts that"
        elif kind == "submitted":
            yield "it was submitted before"

    def _judge_pause(self, reason: str, documents: set[str]) -> Iterator[str]:
        if reason not in self.definition["pauses"] or (
            reason in self._waits and documents <= self._awaited.get(reason, set())
        ):
            yield "no further reason to pause"

    def _judge_following(self, process: str, stage: str | None) -> Iterator[str]:
        kind = self.definition["kind"]
        of_kind = [each for each in DEFINITIONS.values() if each["kind"] == kind]
        of_line = [each for each in of_kind if self._product_line in each.get("product_lines", [])]
        chosen = of_line or [each for each in of_kind if "product_lines" not in each]
        if process == self.definition["process"] or process not in [each["process"] for each in chosen]:
            yield "no process for it"
            return
        new = DEFINITIONS[process]
        possible = [self._stage] if self._stage in new["stages"] else list(new["stages"])
        if (stage or self._stage) not in possible:
            yield "it does not go on where it may"
        if not set(self._waits) <= new["pauses"].keys():
            yield "it waits for what the new process does not know"

    def _judge_stage(self, stage: str, here: Mapping[str, Any]) -> Iterator[str]:
        if self._is_reopening:
            if stage != self.definition["reopening"]["stage"]:
                yield "reopened into another stage"
        elif stage not in here.get("rework", []):
            if stage not in here.get("next", []):
                yield f"no way from {self._stage}"
            yield from self._lacks(here)

    def _judge_closing(self, outcome: str, reason: str | None, here: Mapping[str, Any]) -> Iterator[str]:
        asked = self.definition["outcomes"].get(outcome, {})
        if outcome not in here.get("outcomes", self.definition["outcomes"]):
            yield f"no outcome at {self._stage}"
        if reason not in asked.get("reasons", [None]):
            yield "no reason for it"
        if not asked.get("despite_doubts", False):
            yield from (f"{rule} was not judged" for rule in self._doubts)
        if not asked.get("unchecked", False):
            yield from self._lacks(here)

    def _judge_reopening(self, reason: str, at: datetime) -> Iterator[str]:
        how = self.definition["reopening"]
        if self._ending[0] != "closed" or self._closed_at is None:
            yield "it was not closed"
        elif at < self._closed_at:
            yield "reopened before it was closed"
        elif at > self._closed_at + timedelta(days=int(how["within"].removesuffix("d"))):
            yield "too late to reopen"
        if reason not in how["reasons"]:
            yield "no reason to reopen"

    def _assigned_by(self, data: Mapping[str, Any]) -> dict[str, str | None]:
        """Another team takes it from whom the one before had given it to."""
        after = {**self._assigned, **{name: data[name] for name in self._assigned if name in data}}
        is_elsewhere = self._assigned["team"] not in (None, after["team"])
        return {**after, "handler": data.get("handler")} if is_elsewhere else after

    def _lacks(self, here: Mapping[str, Any]) -> Iterator[str]:
        yield from (f"{name} was not passed" for name in here.get("controls", {}) if not self._controls.get(name))
        yield from (
            f"{name} failed" for name in here.get("optional_controls", {}) if not self._controls.get(name, True)
        )
        yield from (f"{name} was not given" for name in here.get("required", []) if name not in self._attributes)

    def _take(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        self._is_reopening = kind == "reopened"
        self._reopened_at = at if self._is_reopening else self._reopened_at
        match kind:
            case "stage_entered":
                self._stage, self._has_left, self._controls = data["stage"], False, {}
            case "stage_left":
                self._has_left = True
            case "control_recorded":
                self._controls = {**self._controls, data["control"]: data["is_passed"]}
            case "paused":
                self._waits = list(dict.fromkeys([*self._waits, data["reason"]]))
                asked = self._awaited.get(data["reason"], set()) | set(data.get("documents", []))
                self._awaited |= {data["reason"]: asked} if asked else {}
            case "resumed":
                self._waits = [reason for reason in self._waits if reason != data["reason"]]
                self._awaited.pop(data["reason"], None)
            case "documents_received":
                self._awaited = {reason: asked - set(data["documents"]) for reason, asked in self._awaited.items()}
                self._follows_next = [("resumed", reason) for reason, asked in self._awaited.items() if not asked]
            case "attached" if any(data.get("document") in asked for asked in self._awaited.values()):
                self._follows_next = [("documents_received", [data["document"]])]
            case "assigned":
                self._assigned = self._assigned_by(data)
            case "changed":
                self._attributes |= data.get("attributes", {})
                self._product_line = data.get("product_line", self._product_line)
            case "process_changed":
                self.definition, self._stage = DEFINITIONS[data["process"]], data["stage"]
                self._has_left, self._controls = False, {}
            case "doubted":
                self._findings |= dict.fromkeys(data["findings"], "open")
            case "finding_confirmed" | "finding_dismissed":
                self._findings[data["rule"]] = kind.removeprefix("finding_")
            case "merged":
                self._ending, self._waits, self._awaited = ("merged", None, None), [], {}
            case "acknowledged":
                self._acknowledged = True
            case "responded":
                self._responded = True
            case "closed":
                self._ending, self._closed_at = ("closed", data["outcome"], data.get("reason")), at
                self._waits, self._awaited = [], {}
            case "cancelled":
                self._ending, self._waits, self._awaited = ("cancelled", None, data["reason"]), [], {}
            case "feedback_given":
                self._score = data["score"]
            case "reopened":
                self._ending, self._closed_at, self._score = (None, None, None), None, None


def control_points(stage: Mapping[str, Any]) -> dict[str, list[str]]:
    """All of a stage, with what is recorded there."""
    return {**stage.get("controls", {}), **stage.get("optional_controls", {})}


def _entry_of(verb: str, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The entry that a call asks for."""
    kinds = {
        "stage": "stage_entered",
        "leave": "stage_left",
        "control": "control_recorded",
        "pause": "paused",
        "resume": "resumed",
        "response": "responded",
        "acknowledge": "acknowledged",
        "assign": "assigned",
        "documents": "documents_received",
        "message": "message_received",
        "inform": "customer_informed",
        "signal": "signalled",
        "extend": "extended",
        "note": "noted",
        "change": "changed",
        "close": "closed",
        "cancel": "cancelled",
        "reopen": "reopened",
        "attachment": "attached",
        "feedback": "feedback_given",
        "merge": "merged",
        "split": "split",
        "complain": "complained",
        "process": "process_changed",
        "confirm": "finding_confirmed",
        "dismiss": "finding_dismissed",
    }
    return kinds[verb], dict(body)
