"""Files that are checked without a server: each finding names its file, and a wrong one ends with 1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from punctual.cli import make_app

DATA = Path(__file__).parents[4] / "services/intake/data"
MOTOR, ENQUIRY = DATA / "processes/claim_motor.yml", DATA / "processes/enquiry.yml"


def lint(what: str, *arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(make_app([what]), [what, "lint", *map(str, arguments)])
    return done.exit_code, done.output


def changed(folder: Path, file: Path, old: str, new: str) -> Path:
    """A copy of a file that differs in one place."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    copy = folder / file.name
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


def odd(folder: Path) -> Path:
    """A definition that is remarked on: it has no control point."""
    return changed(folder, ENQUIRY, "    optional_controls:\n      answer_checked: []\n", "")


def test_a_definition_without_fault_is_said_to_have_none() -> None:
    assert lint("process", MOTOR) == (0, "Nothing is wrong or odd.\n")


def test_what_may_not_be_meant_is_remarked_and_no_error(tmp_path: Path) -> None:
    file = odd(tmp_path)
    code, text = lint("process", file)
    assert (code, text) == (0, f"{file}, line 1, enquiry: remark: has no quality control point\n")


def test_all_shipped_definitions_are_checked_by_one_call() -> None:
    files = sorted(ENQUIRY.parent.glob("*.yml"))
    code, text = lint("process", *files, "--json")
    found = json.loads(text)
    assert (code, found["errors"], found["remarks"]) == (0, [], [])


def test_of_several_definitions_the_wrong_one_is_named_and_the_others_are_checked_all_the_same(tmp_path: Path) -> None:
    broken, enquiry = changed(tmp_path, MOTOR, "kind: claim", "kind: lottery"), odd(tmp_path)
    for files in ((MOTOR, broken, enquiry), (broken, enquiry, MOTOR)):
        code, text = lint("process", *files)
        assert code == 1
        error, remark = text.splitlines()
        assert error.startswith(f"{broken}, line ")
        assert ", kind: " in error
        assert remark.startswith(f"{enquiry}, line 1, enquiry: remark: ")


def test_every_error_of_every_definition_is_told(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    files = [
        changed(tmp_path, MOTOR, "kind: claim", "kind: lottery"),
        changed(tmp_path / "other", ENQUIRY, "start: ", "begin: "),
    ]
    code, text = lint("process", *files, "--json")
    assert code == 1
    assert [each["file"] for each in json.loads(text)["errors"]].count(str(files[0])) == 1
    assert (str(files[1]), "begin") in {(each["file"], each["field"]) for each in json.loads(text)["errors"]}


@pytest.mark.parametrize("what", ["process", "automation"])
def test_a_file_that_is_not_there_is_named(what: str, tmp_path: Path) -> None:
    missing = tmp_path / "nothing.yml"
    done = CliRunner().invoke(make_app([what]), [what, "lint", str(missing)])
    assert done.exit_code == 1
    assert f"No such file or directory: '{missing}'" in str(done.exception)


def test_rules_of_automation_are_checked_without_a_server(tmp_path: Path) -> None:
    assert lint("automation", DATA / "automation.yml") == (0, "Nothing is wrong or odd.\n")
    broken = changed(tmp_path, DATA / "automation.yml", "held_back: 0.1", "held_back: often")
    code, text = lint("automation", broken)
    assert code == 1
    assert text.startswith(f"{broken}, line ")
    assert "rules[0].held_back: " in text
    code, text = lint("automation", broken, "--json")
    (error,) = json.loads(text)["errors"]
    assert (code, error["field"]) == (1, "rules[0].held_back")
