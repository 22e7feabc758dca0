"""Which of our languages a reader gets. An own map: library negotiation gives English to readers of zh-TW."""

from __future__ import annotations

from shared.contracts.payload import Language

_TRADITIONAL = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


def choose_language(asked: str | None, accept_language: str | None, default: Language) -> Language:
    """
    Args:
        asked: the reader's explicit choice, one of our tags; anything else is passed over.
        accept_language: the browser's header.
        default: what serves when neither says anything we know.
    """
    if asked in set(Language):
        return Language(asked)
    ranked: list[tuple[float, int, Language]] = []
    for position, part in enumerate((accept_language or "").split(",")):
        tag, _, parameter = part.partition(";")
        language, weight = _match(tag.strip().lower()), _weight(parameter.strip())
        if language is not None and weight > 0:
            ranked.append((-weight, position, language))
    return min(ranked)[2] if ranked else default


def _match(tag: str) -> Language | None:
    if tag == "en" or tag.startswith("en-"):
        return Language.ENGLISH
    if any(tag == known or tag.startswith(f"{known}-") for known in _TRADITIONAL):
        return Language.TRADITIONAL_CHINESE
    if tag == "zh" or tag.startswith("zh-"):
        return Language.SIMPLIFIED_CHINESE
    return None


def _weight(parameter: str) -> float:
    if not parameter.startswith("q="):
        return 1.0
    try:
        return float(parameter[2:])
    except ValueError:
        return 0.0
