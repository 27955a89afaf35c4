"""Files are taken as learning platforms hand them out; a bad one is refused with its reason, the others stay."""

import json
import stat
import struct
import zipfile
import zlib

import pytest

from sahel_teacher.grading import collect as collecting
from sahel_teacher.grading.answers import Unreadable
from sahel_teacher.grading.collect import NothingThere, cells_of, collect

NB = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}).encode()


def outcome(one):
    try:
        return len(cells_of(one.read()))
    except Unreadable as error:
        return str(error)


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("name", "student", "shown", "late"),
    [
        ("Aïcha Made-Up_12345_assignsubmission_file_/02-x.ipynb", "moodle 12345", "Aïcha Made-Up", False),
        ("Made Up_Two_77_assignsubmission_file_02-x.ipynb", "moodle 77", "Made Up_Two", False),
        ("madeup_4711_9001_02-x.ipynb", "canvas 4711", "madeup", False),
        ("madeup_LATE_4711_9001_02-x-2.ipynb", "canvas 4711", "madeup", True),
        ("someone.ipynb", "someone", "someone", False),
        ("someone/02-x.ipynb", "someone", "someone", False),
    ],
)
def test_whose_a_file_is(tmp_path, name, student, shown, late):
    """In a ZIP and unpacked."""
    archive = zipped(tmp_path / "all.zip", {name: NB, "zz/other.ipynb": NB})
    (tmp_path / "folder" / name).parent.mkdir(parents=True)
    (tmp_path / "folder" / name).write_bytes(NB)
    for source in (archive, tmp_path / "folder"):
        one = next(iter(collect(source)))
        assert (one.student, one.name, one.late, outcome(one)) == (student, shown, late, 0)


def test_the_last_resubmission_counts(tmp_path):
    found = collect(zipped(tmp_path / "a.zip", {f"x_1_{n}_e-{n}.ipynb": NB for n in (9, 10, 2)}))
    assert [one.file for one in found if outcome(one) == 0] == ["x_1_10_e-10.ipynb"]


def test_of_notebooks_of_several_sets_that_of_this_one_counts(tmp_path):
    files = {f"Made Up_7_assignsubmission_file/{name}.ipynb": NB for name in ("02-timeline", "03-next", "zz")}
    found = collect(zipped(tmp_path / "a.zip", files), "02")
    assert [one.file for one in found if outcome(one) == 0] == [
        "Made Up_7_assignsubmission_file/02-timeline.ipynb"
    ]


def test_a_long_name_stays_that_of_a_notebook(tmp_path):
    found = collect(
        zipped(tmp_path / "a.zip", {f"{'Made Up ' * 20}_7_assignsubmission_file/{'x' * 90}.ipynb": NB})
    )
    assert [outcome(one) for one in found] == [0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b'{"cells": [', "not a whole notebook"),
        (b"[" * 100_000, "not a whole notebook"),
        (b"\xff\xfe\x00", "not a whole notebook"),
        (b"[]", "no notebook"),
        (b'{"a": 1}', "no notebook"),
        (b'{"worksheets": [3]}', "old format"),
        (b'{"worksheets": [{"cells": [' + b"{}," * 9_999 + b"{}]}]}", "old format"),
        (b" " * 20_000_001, "larger than"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_reason(tmp_path, content, reason):
    (tmp_path / "a.ipynb").write_bytes(content)
    (tmp_path / "b.ipynb").write_bytes(NB)
    first, second = map(outcome, collect(tmp_path))
    assert reason in first
    assert second == 0


def test_old_formats_and_every_unicode_are_read():
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}}
    cell = {"cell_type": "code", "language": "python", "input": "x = 1", "outputs": [], "collapsed": False}
    made = json.dumps(old | {"worksheets": [{"cells": [cell], "metadata": {}}]}).encode()
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le"):
        assert [found["source"] for found in cells_of(made.decode().encode(encoding))] == ["x = 1"]


def test_links_and_special_files_are_refused(tmp_path):
    (tmp_path / "out.ipynb").write_bytes(NB)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.ipynb").symlink_to(tmp_path / "out.ipynb")
    (folder / "all.ipynb").symlink_to(tmp_path, target_is_directory=True)
    (folder / "text.txt").write_text("x")
    found = {one.file: outcome(one) for one in collect(folder)}
    assert all(isinstance(value, str) for value in found.values())
    assert len(found) == 3


def test_tricks_of_a_zip_are_refused_one_by_one(tmp_path, monkeypatch):
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "good.ipynb", b" " * 9_000_000 + NB
        )  # as where the same line was printed without end
        archive.writestr("up/../../evil.ipynb", NB)
        archive.writestr("/root.ipynb", NB)
        archive.writestr("c:\\evil.ipynb", NB)
        archive.writestr(link, "/etc/passwd")
        archive.writestr("bomb.ipynb", b" " * 29_000_000)
        archive.writestr("x_5_assignsubmission_file_essay.docx", b"x")
        archive.writestr("__MACOSX/._good.ipynb", b"x")
    found = {one.file: outcome(one) for one in collect(path)}
    assert found.pop("good.ipynb") == 0
    assert len(found) == 6
    for word in ("leads out", "link", "bomb", "not a notebook"):
        assert any(word in reason for reason in found.values()), (word, found)


def test_a_zip_that_lies_about_sizes_or_is_damaged(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.ipynb": NB, "b.ipynb": NB * 3})
    content = bytearray(path.read_bytes())
    at = content.find(zlib.compress(NB)[2:6])
    content[at : at + 4] = b"\0\0\0\0"
    path.write_bytes(content)
    assert "damaged" in outcome(next(iter(collect(path))))
    big = zipped(tmp_path / "b.zip", {"a.ipynb": b" " * 30_000_000})
    content = bytearray(big.read_bytes())
    place = content.rfind(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 5)
    big.write_bytes(content)
    assert isinstance(outcome(next(iter(collect(big)))), str)


def test_the_whole_of_a_zip_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_IN_ALL", 10)
    found = [outcome(one) for one in collect(zipped(tmp_path / "a.zip", {"a.ipynb": NB, "b.ipynb": NB}))]
    assert found[0] == 0
    assert "too much in all" in found[1]


@pytest.mark.parametrize("name", ["none", "empty", "text.txt", "cut.zip"])
def test_where_there_is_nothing_one_sentence_says_so(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("x")
    (tmp_path / "cut.zip").write_bytes(zipped(tmp_path / "a.zip", {"a.ipynb": NB * 9}).read_bytes()[:60])
    with pytest.raises(NothingThere):
        list(collect(tmp_path / name))
