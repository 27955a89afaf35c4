"""Find submissions in a folder, in a ZIP as Moodle or Canvas hand it out, or in one notebook.

Nothing is unpacked onto the disk, and every size is bounded before and while it is read. What cannot be graded is
refused with the reason, one by one; all others are graded.
"""

import json
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat

from sahel_teacher.grading.answers import MOST_CELLS, Unreadable

MOST_NOTEBOOK = 20_000_000  # bytes; outputs with pictures included
MOST_RATIO = 200  # how much smaller a ZIP may make what is larger than that
MOST_IN_ALL = 4_000_000_000  # bytes read out of one ZIP
MOST_FILES = 20_000
JUNK = re.compile(
    r"(^|/)(\.[^./]|__MACOSX|Thumbs\.db$|desktop\.ini$|__pycache__/)|_assignsubmission_onlinetext",
    re.IGNORECASE,
)
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_file_?(?P<rest>.*)$")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?:(?P<late>LATE)_)?(?P<id>\d+)_(?P<file>\d+)_(?P<rest>.+)$")
AGAIN = re.compile(r"(?:-(\d+)| ?\((\d+)\))\.ipynb$")  # a resubmission, as Canvas and browsers number it


@dataclass(frozen=True)
class Submission:
    """A file that somebody handed in: whose it is, and how to read it (raises Unreadable)."""

    student: str  # the key: "moodle 123", "canvas 456", or the name of the file or folder
    name: str  # as shown
    file: str
    read: Callable[[], bytes] = field(repr=False, compare=False)
    lms: str = ""  # "moodle" or "canvas"
    lms_id: str = ""
    late: bool = False


class NothingThere(Exception):
    """There is nothing to grade at all: the message says why."""


def collect(source: Path, number: str = "") -> Iterator[Submission]:
    """Yield the submissions, one a student; one that must not count raises Unreadable when it is read.

    Args:
        source: a folder, a ZIP or one notebook.
        number: of the set; of several notebooks of a student, one with it in its name is taken first.

    Raises:
        NothingThere: no such file or folder, not a whole ZIP, or no notebook in it.
    """
    if source.is_dir():
        found = list(_in_folder(source))
    elif zipfile.is_zipfile(source):
        found = list(_in_zip(source))
    elif source.is_file() and source.suffix.lower() == ".ipynb":
        found = [Submission(clean(source.stem), clean(source.stem), source.name, _file_reader(source))]
    else:
        there = "is not a folder, a ZIP or a notebook (.ipynb)" if source.exists() else "does not exist"
        raise NothingThere(f"{source} {there}. Name what your learning platform handed out.")
    if not found:
        raise NothingThere(f"There is no notebook (.ipynb) in {source}.")
    yield from _one_each(found, number)


def _in_folder(folder: Path) -> Iterator[Submission]:
    listed: list[tuple[str, Path]] = []
    for at, folders, files in os.walk(folder):
        folders.sort()
        links = [name for name in folders if (Path(at) / name).is_symlink()]
        for name in sorted([*files, *links]):
            path = Path(at) / name
            listed.append((path.relative_to(folder).as_posix(), path))
            if len(listed) > MOST_FILES:
                raise NothingThere(f"{folder} has more than {MOST_FILES:,} files: is it the right folder?")
    for name, path in listed:
        if not JUNK.search(name):
            yield _whose(name, _file_reader(path))


def _file_reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise Unreadable("it is a link or a special file, not a notebook")
            with path.open("rb") as file:
                return _bounded(file.read(MOST_NOTEBOOK + 1))
        except OSError as error:
            raise Unreadable(f"it cannot be read: {error.strerror}") from error

    return read


def _bounded(content: bytes) -> bytes:
    if len(content) > MOST_NOTEBOOK:
        raise Unreadable(f"it is larger than {MOST_NOTEBOOK // 1_000_000} MB")
    return content


def _in_zip(source: Path) -> Iterator[Submission]:
    try:
        archive = zipfile.ZipFile(source)
        entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError) as error:
        raise NothingThere(f"{source} is not a whole ZIP: {error}. Download it again.") from error
    if len(entries) > MOST_FILES:
        raise NothingThere(f"{source} has more than {MOST_FILES:,} files: is it the right ZIP?")
    names = [entry.filename for entry in entries if not entry.is_dir() and not JUNK.search(entry.filename)]
    tops = {name.split("/")[0] for name in names if "/" in name}
    inside = len(tops) == 1 and all("/" in name for name in names) and not MOODLE.match(next(iter(tops)))
    budget = [MOST_IN_ALL]
    for entry in entries:
        if not entry.is_dir() and not JUNK.search(entry.filename):
            name = entry.filename.partition("/")[2] if inside else entry.filename
            yield _whose(name, _entry_reader(archive, entry, budget))


def _entry_reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: list[int]) -> Callable[[], bytes]:
    def read() -> bytes:
        parts = PurePosixPath(entry.filename).parts
        if ".." in parts or entry.filename.startswith("/") or re.search(r"\\|^\w:|\0", entry.orig_filename):
            raise Unreadable("its name leads out of the ZIP")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Unreadable("it is a link, not a notebook")
        if entry.flag_bits & 1:
            raise Unreadable("it is locked with a password")
        if entry.file_size > max(MOST_NOTEBOOK, MOST_RATIO * entry.compress_size):
            raise Unreadable("it grows too much when unpacked, as a ZIP bomb does")
        if budget[0] <= 0:
            raise Unreadable("the ZIP holds too much in all")
        try:
            with archive.open(entry) as file:
                content = file.read(MOST_NOTEBOOK + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            lzma.LZMAError,
            OSError,
            EOFError,
            RuntimeError,
            ValueError,
        ) as error:
            raise Unreadable(f"it is damaged in the ZIP: {error}") from error
        budget[0] -= len(content)
        return _bounded(content)

    return read


def _whose(path: str, read: Callable[[], bytes]) -> Submission:
    """Tell from a file's name whose it is, as Moodle, Canvas or a plain folder name it."""
    top, _, rest = path.partition("/")
    if found := MOODLE.match(top):
        name, number = clean(found["name"]), found["id"]
        return Submission(f"moodle {number}", name, clean(path), read, "moodle", number)
    if not rest and (found := CANVAS.match(top)):
        name, number = clean(found["name"]), found["id"]
        return Submission(f"canvas {number}", name, clean(path), read, "canvas", number, bool(found["late"]))
    name = clean(top if rest else PurePosixPath(top).stem)
    return Submission(name, name, clean(path), read)


def _one_each(found: list[Submission], number: str) -> Iterator[Submission]:
    """Let one notebook a student count: of this set, the latest resubmission, the last by name; refuse the others."""
    named = re.compile(rf"(?<!\d){re.escape(number)}(?!\d)[^/]*$")
    groups: dict[str, list[Submission]] = {}
    for one in found:
        groups.setdefault(one.student, []).append(one)
    for those in groups.values():
        notebooks = [one for one in those if one.file.lower().endswith(".ipynb")]
        notebooks.sort(key=lambda one: (bool(named.search(one.file)), _again(one.file), one.file))
        counts = notebooks[-1] if notebooks else None
        for one in those:
            if one is counts:
                yield one
            elif one in notebooks:
                yield replace(
                    one,
                    read=_refusing(
                        f"another notebook of the same student counts: {counts.file}" if counts else ""
                    ),
                )
            else:
                yield replace(one, read=_refusing("it is not a notebook (.ipynb)"))


def _again(file: str) -> int:
    found = AGAIN.search(file)
    return int((found[1] or found[2])[:9]) if found else 0


def _refusing(why: str) -> Callable[[], bytes]:
    def read() -> bytes:
        raise Unreadable(why)

    return read


def clean(text: str) -> str:
    """Return a name that can be stored and shown: no half letters, nothing that controls or turns text round."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", "?", whole)[:600]


def cells_of(content: bytes) -> list[dict[str, Any]]:
    """Return the cells of a notebook, in nbformat 4.

    Raises:
        Unreadable: the bytes are no notebook; the message says what is wrong.
    """
    try:
        nb = json.loads(
            content
        )  # UTF-8, and what some editors make of it: UTF-16 or 32, with a mark or without
    except (ValueError, RecursionError) as error:
        what = "it is empty" if not content.strip() else "it is not a whole notebook"
        raise Unreadable(
            f"{what} ({str(error)[:100]}); ask for the file to be saved and sent again"
        ) from error
    if not isinstance(nb, dict):
        raise Unreadable("it is JSON, but no notebook")
    if isinstance(nb.get("worksheets"), list):
        try:
            if sum(len(sheet["cells"]) for sheet in nb["worksheets"]) > MOST_CELLS:
                raise ValueError("it would take minutes")
            nb = nbformat.convert(nbformat.from_dict(nb), 4)
        except Exception as error:  # whatever nbformat meets in a file that is not as it should be
            raise Unreadable("it is in an old format that cannot be converted") from error
    cells = nb.get("cells")
    if not isinstance(cells, list):
        raise Unreadable("it is JSON, but no notebook: it has no cells")
    return cells
