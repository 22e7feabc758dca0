"""The house rules that a machine can check. CONTRIBUTING.md says why they are there."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from importlinter.cli import lint_imports

from shared.contracts.topics import PAYLOAD_BY_TYPE

ROOT = Path(__file__).parents[2]
TREES = ("services", "shared", "punctual")
SERVICES = sorted(path.parent for path in ROOT.glob("services/*/__init__.py"))
CONTRACTS = ROOT / ".importlinter"

_MADE_BY_TOOLS = {".git", "dist", "build", "node_modules", "__pycache__"}


def project_files() -> Iterator[Path]:
    """Every file of the project, none that a tool made. Does not ask git: a source archive has none."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in _MADE_BY_TOOLS and (not name.startswith(".") or name in {".ci", ".github"})
        ]
        yield from (Path(folder) / name for name in files)


def modules() -> list[Path]:
    return [path for tree in TREES for path in sorted((ROOT / tree).rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# Imports


def test_every_import_contract_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = lint_imports(config_filename=str(CONTRACTS), no_cache=True, no_logo=True)

    assert outcome == 0, capsys.readouterr().out


VIOLATIONS = {
    "service-layers": ("services/intake/stray.py", ""),
    "services-apart": ("services/intake/settings.py", "import services.notifier.settings"),
    "trees": ("shared/clock.py", "import services.intake.settings"),
    "shared-stack": ("shared/errors.py", "import shared.clock"),
    "program": ("punctual/local/ports.py", "import punctual.cli"),
    "pure": ("services/intake/domain/__init__.py", "import random"),
    "kafka-client": ("services/intake/settings.py", "import aiokafka"),
    "postgres-client": ("services/intake/app.py", "import asyncpg"),
    "web-framework": ("services/intake/domain/__init__.py", "import fastapi"),
    "testing-apart": ("services/intake/app.py", "import shared.testing"),
}
"""For each contract a change that breaks it."""


def test_every_import_contract_catches_its_violation(tmp_path: Path) -> None:
    """All violations are put into one copy of the sources; the linter must find each contract broken."""
    for tree in TREES:
        shutil.copytree(ROOT / tree, tmp_path / tree, ignore=lambda _, names: _without_data(names))
    for file, line in VIOLATIONS.values():
        with (tmp_path / file).open("a", encoding="utf-8") as source:
            source.write(f"\n{line}\n")

    report = subprocess.run(
        [sys.executable, "-c", _LINT, str(CONTRACTS)], cwd=tmp_path, capture_output=True, text=True, check=False
    ).stdout

    names = configparser.ConfigParser()
    names.read(CONTRACTS, encoding="utf-8")
    contracts = {section.rpartition(":")[2]: names[section]["name"] for section in names.sections()[1:]}
    assert set(contracts) == set(VIOLATIONS)
    assert [key for key, name in contracts.items() if f"{name} BROKEN" not in report] == [], report


_LINT = """
import os, sys
os.environ["COLUMNS"] = "300"
sys.path.insert(0, os.getcwd())
from importlinter.cli import lint_imports
sys.exit(lint_imports(config_filename=sys.argv[1], no_cache=True, no_logo=True))
"""


def _without_data(names: list[str]) -> list[str]:
    return [name for name in names if "." in name and not name.endswith(".py")] + ["__pycache__"]


# Files


def test_no_file_has_a_name_that_says_nothing() -> None:
    forbidden = {"util", "utils", "helper", "helpers", "common", "base", "manager", "managers", "misc"}

    found = [
        name_of(path)
        for path in project_files()
        if forbidden & set(re.split(r"[._-]", path.name.lower())) or forbidden & set(path.relative_to(ROOT).parts[:-1])
    ]

    assert found == []


REQUIRED = {"__main__", "app", "settings", "api", "consumer", "store", "domain", "migrations"}
OPTIONAL = {"ticker", "handlers", "delivery"}


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_has_the_files_every_service_has(service: Path) -> None:
    python = {path.stem for path in service.glob("*.py")} | {path.parent.name for path in service.glob("*/*.py")}
    folders = {path.name for path in service.iterdir() if path.is_dir() and any(path.rglob("*.sql"))}

    assert python | folders >= REQUIRED, f"missing: {REQUIRED - (python | folders)}"
    assert python - {"__init__"} <= REQUIRED | OPTIONAL
    assert (service / "store" / "queries.sql").is_file() or (service / "queries.sql").is_file()


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_says_what_it_owns_hears_and_says_and_nothing_else(service: Path) -> None:
    package = ast.parse((service / "__init__.py").read_text(encoding="utf-8"))

    says = ast.get_docstring(package) or ""

    assert [word for word in ("Owns:", "Hears:", "Says:") if word not in says] == []
    assert len(package.body) == 1, "the package's __init__ holds its docstring only"


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_starts_in_three_lines(service: Path) -> None:
    lines = (service / "__main__.py").read_text(encoding="utf-8").split("\n")
    code = [line for line in lines if line.strip() and not line.startswith('"""')]

    assert code == [f"from services.{service.name}.app import main", 'if __name__ == "__main__":', "    main()"]


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_migrations_are_numbered_without_holes(service: Path) -> None:
    names = sorted(path.name for path in (service / "migrations").glob("*.sql"))

    assert [name[:5] for name in names] == [f"{number:04}_" for number in range(1, len(names) + 1)]
    assert names, "a service owns tables"


LONGEST = 280
USUAL = 200


def test_a_module_holds_one_subject() -> None:
    """Most files have 40 to 200 lines; one that needs more than 280 has two subjects."""
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}

    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
    assert sum(length > USUAL for length in lengths.values()) <= len(lengths) // 10


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in modules()
        if path.name != "__main__.py" and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


# Text. The patterns are written so that they do not find themselves.

MACHINE_PATHS = re.compile(r"/wor[k]/|/roo[t]/[.\w]|/hom[e]/\w|/User[s]/\w|/op[t]/wheels|/tm[p]/bash|[A-Z]:\\\\User[s]")
REGISTRIES = re.compile(
    r"pypi\.or[g]|pythonhosted\.or[g]|repo1?\.maven\.|registry\.npmj[s]|artifactor[y]|proxy\.golan[g]"
)
UNFINISHED = re.compile(
    r"\bTOD[O]\b|\bFIXM[E]\b|\bXX[X]\b|NotImplementedErro[r]|mark\.ski[p]|mark\.xfai[l]|pytest\.ski[p]"
)

TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yml",
    ".yaml",
    ".json",
    ".sql",
    ".lock",
    ".cfg",
    ".ini",
    ".txt",
    ".html",
    ".css",
    ".sh",
}


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (MACHINE_PATHS, "a path of one machine"),
        (REGISTRIES, "the host name of a package registry"),
        (UNFINISHED, "something unfinished or skipped"),
    ],
    ids=["machine paths", "registries", "unfinished"],
)
def test_no_file_contains(pattern: re.Pattern[str], what: str) -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path in project_files()
        if path.suffix in TEXT or path.name in {"Makefile", "Dockerfile", ".importlinter", "run"}
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]

    assert found == [], what


# Names


@pytest.mark.parametrize("model", PAYLOAD_BY_TYPE.values(), ids=PAYLOAD_BY_TYPE)
def test_a_contract_names_instants_spans_and_booleans_alike(model: Any) -> None:
    for name, info in model.model_fields.items():
        parts = {
            info.annotation,
            *get_args(info.annotation),
            *(a for p in get_args(info.annotation) for a in get_args(p)),
        }
        is_instant = any(part is datetime or getattr(part, "__name__", "") == "AwareDatetime" for part in parts)
        assert is_instant == name.endswith("_at"), name
        is_truth = bool in parts and get_origin(info.annotation) is not dict  # a mapping of attributes holds some
        assert is_truth == name.startswith(("is_", "has_")), name


@pytest.mark.parametrize("model", PAYLOAD_BY_TYPE.values(), ids=PAYLOAD_BY_TYPE)
def test_an_event_type_is_named_after_its_model(model: Any) -> None:
    """``punctual.<subject>.<what happened>``; the model's name is the two in one, a later version's ends so."""
    prefix, subject, happened = model.TYPE.split(".")

    assert prefix == "punctual"
    name = f"{subject}_{happened}".title().replace("_", "")
    assert model.__name__ == name or (model.VERSION > 1 and model.__name__.endswith(name))
