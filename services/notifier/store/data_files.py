"""The wording and the roles directory, read once at the start."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from services.notifier.domain.roles import RolesDirectory, parse_roles
from services.notifier.domain.wording.rendering import Wording
from services.notifier.domain.wording.templates import NoticeTemplate, parse_templates
from services.notifier.domain.wording.terms import parse_terms
from services.notifier.domain.words import NoticeKind
from shared.contracts.payload import Language
from shared.errors import ConfigurationError
from shared.rules.plain_yaml import UnreadableYaml, read_plain_yaml

_DATA = resources.files("services.notifier") / "data"


class _Readable(Protocol):
    def read_text(self, encoding: str) -> str: ...


def load_wording(public_url: str) -> Wording:
    """Raises:
    ConfigurationError: names the file and the field that is wrong or missing.
    """
    terms = parse_terms(_read(_DATA / "terms.yaml", "terms.yaml"), "terms.yaml")
    templates: dict[tuple[Language, NoticeKind], NoticeTemplate] = {}
    for language in Language:
        file = f"{language}.yaml"
        kinds = parse_templates(_read(_DATA / "templates" / file, file), terms, file)
        templates |= {(language, kind): template for kind, template in kinds.items()}
    return Wording(templates, terms, public_url)


def load_roles(path: Path | None) -> RolesDirectory:
    """The given file, or the packaged example.

    Raises:
        ConfigurationError: names the file and the field.
    """
    if path is None:
        return parse_roles(_read(_DATA / "roles.yaml", "roles.yaml"), "roles.yaml")
    return parse_roles(_read(path, str(path)), str(path))


def _read(file: _Readable, name: str) -> Any:
    try:
        _, document = read_plain_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{name}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name}: is not YAML: {error}") from None
    except UnreadableYaml as error:
        raise ConfigurationError(f"{name}, line {error.line}: is not YAML: {error}") from None
    return document
