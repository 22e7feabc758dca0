"""CSV: any delimiter, gzip, and bad lines that cost only themselves."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from punctual.replay.logs import Malformed, Row, read_log
from shared.errors import ConfigurationError


def entries(path: Path, content: bytes, delimiter: str = ",", encoding: str = "utf-8") -> list[Row | Malformed]:
    path.write_bytes(content)
    return list(read_log(path, log_format=None, delimiter=delimiter, encoding=encoding, needed=["case"]))


def rows(found: list[Row | Malformed]) -> list[tuple[int, str]]:
    return [(entry.line, entry.values["case"]) for entry in found if isinstance(entry, Row)]


def complaints(found: list[Row | Malformed]) -> list[tuple[int, str]]:
    return [(entry.line, entry.reason) for entry in found if isinstance(entry, Malformed)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter_is_read(tmp_path: Path, delimiter: str) -> None:
    content = "case,activity\n1,a\n2,b\n".replace(",", delimiter).encode()
    assert rows(entries(tmp_path / "log.csv", content, delimiter)) == [(2, "1"), (3, "2")]


def test_gzip_is_recognised_by_its_content_not_its_name(tmp_path: Path) -> None:
    packed = gzip.compress(b"case,activity\r\n1,a\r\n")
    assert rows(entries(tmp_path / "log.csv", packed)) == [(2, "1")]
    assert rows(entries(tmp_path / "other.csv.gz", packed)) == [(2, "1")]


def test_quotes_may_hold_delimiters_and_line_breaks(tmp_path: Path) -> None:
    found = entries(tmp_path / "log.csv", b'case,activity\n"1,\nstill 1","say ""a"""\n2,b\n')
    assert rows(found) == [(2, "1,\nstill 1"), (4, "2")]


def test_a_byte_order_mark_and_empty_lines_do_not_matter(tmp_path: Path) -> None:
    assert rows(entries(tmp_path / "log.csv", b"\xef\xbb\xbfcase,activity\n\n1,a\n\n2,b")) == [(3, "1"), (5, "2")]


def test_bad_lines_are_told_with_number_and_reason_and_do_not_stop_it(tmp_path: Path) -> None:
    content = b'case,activity\n1,a\n2\n3,a,b\n"4"x,a\n5,\xff\xfe\n6,a\n'
    found = entries(tmp_path / "log.csv", content)
    assert rows(found) == [(2, "1"), (7, "6")]
    assert [line for line, _ in complaints(found)] == [3, 4, 5, 6]
    reasons = dict(complaints(found))
    assert reasons[3] == "1 fields where the header has 2"
    assert "expected after" in reasons[5]
    assert reasons[6] == "not utf-8"


@pytest.mark.parametrize("lines_after", [3, 200])
def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path, lines_after: int) -> None:
    good = b"".join(b"%d,a\n" % number for number in range(lines_after))
    found = entries(tmp_path / "log.csv", b'case,activity\n"lost,a\n' + good)
    assert [line for line, _ in complaints(found)] == [2]
    assert len(rows(found)) == lines_after
    assert rows(found)[0] == (3, "0")


def test_a_field_of_a_megabyte_costs_one_line(tmp_path: Path) -> None:
    found = entries(tmp_path / "log.csv", b"case,activity\n" + b"x" * 1_000_000 + b",a\n2,b\n")
    assert (len(complaints(found)), rows(found)) == (1, [(3, "2")])


def test_a_gzip_that_is_cut_off_gives_what_comes_before(tmp_path: Path) -> None:
    whole = gzip.compress(b"case,activity\n" + b"".join(b"%d,%d\n" % (n, n * 7919) for n in range(20_000)))
    found = entries(tmp_path / "log.csv.gz", whole[: len(whole) // 2])
    assert len(rows(found)) > 1000
    assert len(complaints(found)) == 1
    assert "damaged" in complaints(found)[0][1]


def test_other_encodings_are_read(tmp_path: Path) -> None:
    found = entries(tmp_path / "log.csv", "case,activity\n案件,a\n".encode("big5"), encoding="big5")
    assert rows(found) == [(2, "案件")]


@pytest.mark.parametrize("content", [b"", b"other,activity\n1,a\n"])
def test_an_empty_log_and_one_without_the_column_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"log\.csv"):
        entries(tmp_path / "log.csv", content)


def test_a_log_of_no_known_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="format: csv"):
        entries(tmp_path / "log.bin", b"case\n1\n")


def test_a_log_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        list(read_log(tmp_path / "no.csv", log_format=None, delimiter=",", encoding="utf-8", needed=[]))


@given(st.binary(max_size=400))
def test_any_bytes_after_the_header_are_read_to_the_end(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.csv"
    found = entries(path, b"case,activity\nfirst,a\n" + junk + b"\nlast,a\n")
    assert rows(found)[0] == (2, "first")
    lines = [entry.line for entry in found]
    assert lines == sorted(lines)
