"""Files of a home: replaced whole, secret ones closed, logs kept small, errors readable."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from punctual.local.account import Account, can_reach
from punctual.local.credentials import CALLERS, load_credentials
from punctual.local.folders import Folders, read_json, readable_errors, write_whole
from punctual.local.log_files import shorten
from shared.errors import ConfigurationError


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path / "home")
    folders.make()
    return folders


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_whole(file, "old")
    write_whole(file, "新", mode=0o600)
    assert file.read_text(encoding="utf-8") == "新"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_write_that_fails_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"{tmp_path}/no/file: No such file"), readable_errors():
        write_whole(tmp_path / "no" / "file", "text")


def test_a_file_that_is_not_there_reads_as_none(tmp_path: Path) -> None:
    assert read_json(tmp_path / "none.json") is None


def test_a_home_keeps_its_name(folders: Folders) -> None:
    name = folders.home_id
    assert Folders(folders.home).home_id == name
    assert len(name) == 16


def test_parts_can_lie_elsewhere(tmp_path: Path) -> None:
    assert Folders(tmp_path, tmp_path / "shared").parts == tmp_path / "shared"
    assert Folders(tmp_path).parts == tmp_path / "parts"


def test_secrets_are_made_once_and_closed_to_others(folders: Folders) -> None:
    first = load_credentials(folders, ["intake"])
    assert load_credentials(folders, ["intake"]) == first
    assert folders.secrets_file.stat().st_mode & 0o777 == 0o600
    assert set(first.api_keys) == set(CALLERS)
    assert len(set(first.api_keys.values())) == len(CALLERS)


def test_a_service_that_comes_later_gets_a_password_and_the_others_keep_theirs(folders: Folders) -> None:
    first = load_credentials(folders, ["intake"])
    second = load_credentials(folders, ["intake", "notifier"])
    assert second.role_passwords["intake"] == first.role_passwords["intake"]
    assert second.role_passwords["notifier"]
    assert second.api_keys == first.api_keys


def test_services_get_hashes_of_keys_and_never_the_keys(folders: Folders) -> None:
    credentials = load_credentials(folders, [])
    text = folders.keys_file.read_text()
    hashes = {entry["name"]: entry for entry in json.loads(text)["keys"]}
    assert hashes["staff"]["role"] == "staff"
    assert hashes["app"]["sha256"] == hashlib.sha256(credentials.api_keys["app"].encode()).hexdigest()
    assert not any(key in text for key in credentials.api_keys.values())


def test_a_log_that_grew_too_large_is_moved_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "thing.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        assert not shorten(log, largest=100)
        writer.write(b"y")
        assert shorten(log, largest=100)
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "thing.log.1").read_bytes() == b"x" * 100 + b"y"


def test_a_folder_is_reached_only_through_open_ones(tmp_path: Path) -> None:
    stranger = Account("stranger", uid=os.getuid() + 54_321, gid=os.getgid() + 54_321)
    inside = tmp_path / "closed" / "open"
    inside.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not can_reach(stranger, inside)
    assert can_reach(None, inside)
