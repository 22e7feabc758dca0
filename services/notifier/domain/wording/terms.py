"""The term layer: one word per language and, where markets differ, per market. A script is not a market."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.contracts.payload import Language, Market
from shared.errors import ConfigurationError


class Terms:
    """Words by name, language and market; complete for all nine pairs, so there is nothing to fall back to."""

    def __init__(self, words: Mapping[str, Mapping[tuple[Language, Market], str]]) -> None:
        self._words = words

    def __contains__(self, name: str) -> bool:
        return name in self._words

    def word(self, name: str, language: Language, market: Market) -> str:
        return self._words[name][language, market]


def parse_terms(document: Any, file: str) -> Terms:
    """Read ``<name>: {<language>: word | {<market>: word}}``.

    Raises:
        ConfigurationError: names the file, the term, the language and the market.
    """
    if not isinstance(document, dict):
        raise ConfigurationError(f"{file}: must be a mapping of terms")
    words: dict[str, Mapping[tuple[Language, Market], str]] = {}
    for name, languages in document.items():
        where = f"{file}: {name}"
        if not isinstance(languages, dict) or set(languages) != set(Language):
            raise ConfigurationError(f"{where}: must have exactly the languages {', '.join(Language)}")
        words[str(name)] = {
            (language, market): _word(languages[language], market, f"{where}.{language}")
            for language in Language
            for market in Market
        }
    return Terms(words)


def _word(entry: Any, market: Market, where: str) -> str:
    word = entry
    if isinstance(entry, dict):
        if set(entry) != set(Market):
            raise ConfigurationError(f"{where}: must be one word or have exactly the markets {', '.join(Market)}")
        word = entry[market]
    if not isinstance(word, str) or not word.strip():
        raise ConfigurationError(f"{where}: must be text")
    return word
