"""The class board: reads a class's codes, or its files of answers, and shows what they say.

Nobody is named: of what is pasted only the codes are read, and a pseudonym only serves to see that two files are
one student's. What is shown is drawn in `sahel_teacher.board_page`.
"""

import json
import re
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sahel.quizzes import codes, store
from sahel.quizzes.bank import QuizTrouble, lessons
from sahel.quizzes.codes import Form, Sheet
from sahel_teacher import board_page

LONGEST = 150  # characters, with separators: no code is longer
_JOIN = r"[-\u2010-\u2015\u2212_]"
_WORD = r"[0-9A-Za-z]"
_BEGINS = re.compile(rf"(?<!{_WORD})[0-9OoIiLl]{{2}}")
_RUN = re.compile(rf"{_WORD}+(?:[\s\u00ad\u2010-\u2015\u2212_-]*{_WORD}+)*")
_LOOKS = re.compile(
    rf"(?<!{_WORD})(?:(?:{_WORD}{{1,2}}{_JOIN}|{_WORD}{{3,5}}{_JOIN})(?:{_WORD}{{3,5}}{_JOIN})+{_WORD}{{1,5}}"
    rf"|[0-9OIL]{{2}}(?: [0-9A-Z]{{4}}){{2,}}(?: [0-9A-Z]{{1,4}})?|{_WORD}{{14,}})(?!{_WORD})"
)


@dataclass
class Gathered:
    """What was read: the sheets that count, what was refused (a sentence each), and what else to know."""

    sheets: list[Sheet] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class BoardTrouble(Exception):
    """There is nothing to draw; the message is the sentence that says why."""


# --- reading ---------------------------------------------------------------------------------------------


def all_forms() -> dict[str, Form]:
    """Return how the codes of each lesson are written. Raises QuizTrouble where a bank cannot be read."""
    return {lesson: codes.form_of(lesson) for lesson in lessons()}


def gather_text(text: str, forms: dict[str, Form]) -> Gathered:
    """Read the codes in a text: several on a line or one, with anything around them."""
    found = Gathered()
    times: Counter[str] = Counter()
    bare_lines = []
    for number, line in enumerate(text.splitlines(), 1):
        read, rest = _codes_in(line, forms)
        found.sheets += [sheet for _, sheet in read]
        times.update(code for code, _ in read)
        doubtful = [match.group() for match in _LOOKS.finditer(rest) if _mixed(match.group())]
        found.refused += [f"Line {number}: {_quoted(code)} {_why_not(code, forms)}" for code in doubtful]
        if line.strip() and not read and not doubtful:
            bare_lines.append(number)
    again = sum(count - 1 for count in times.values())
    if again:
        found.notes.append(
            f"Codes that repeat another, letter for letter: {again}. Each counts, because two students can give "
            "the same answers. If somebody sent a code twice, delete one and draw again."
        )
    if bare_lines:
        shown = ", ".join(map(str, islice(bare_lines, 20))) + (" and more" if len(bare_lines) > 20 else "")
        found.notes.append(f"Nothing like a code stands in these lines, which were left out: {shown}.")
    return found


def gather_folder(folder: Path, forms: dict[str, Form]) -> Gathered:
    """Read every file of answers in a folder and the folders in it, whatever they are called.

    File names can hold names, so a file that cannot be read is told by its place in the order of names.
    """
    found = Gathered()
    paths = [path for path in sorted(folder.rglob("*.json")) if not path.name.startswith(".")]
    by_student: dict[tuple[str, str], Sheet] = {}
    doubles = 0
    for number, path in enumerate(paths, 1):
        try:
            student, sheet = _sheet_in(path, forms)
        except QuizTrouble as trouble:
            found.refused.append(f"File {number} of {len(paths)}, in the order of names: {trouble}")
            continue
        key = (student or str(number), sheet.lesson)
        doubles += key in by_student
        if key not in by_student or _fullness(sheet) > _fullness(by_student[key]):
            by_student[key] = sheet
    found.sheets = list(by_student.values())
    if doubles:
        found.notes.append(
            f"Files that are a second file of the same student and lesson: {doubles}. The fullest counts."
        )
    if found.sheets:
        found.notes.append("Files of answers do not say which role was played: only codes do.")
    return found


def _fullness(sheet: Sheet) -> int:
    return sum(1 + (kept.second is not None) for kept in sheet.kept.values())


def gather(source: str, forms: dict[str, Form]) -> Gathered:
    """Read codes from a file of any kind of text, from a folder of files of answers, or from "-" (what is typed).

    Raises:
        BoardTrouble: it is not there or cannot be read.
    """
    path = Path(source).expanduser()
    try:
        if source == "-":
            return gather_text(_decoded(sys.stdin.buffer.read()), forms)
        if path.is_dir():
            return gather_folder(path, forms)
        return gather_text(_decoded(path.read_bytes()), forms)
    except OSError as error:
        raise BoardTrouble(f"{source} cannot be read: {error.strerror or error}.") from error


def _decoded(data: bytes) -> str:
    """Return bytes as text; codes are plain ASCII, so what else cannot be read does no harm."""
    two_bytes = data[:2] in (b"\xff\xfe", b"\xfe\xff")  # as Windows programs save "Unicode"
    return data.decode("utf-16" if two_bytes else "utf-8-sig", errors="replace")


def _codes_in(line: str, forms: dict[str, Form]) -> tuple[list[tuple[str, Sheet]], str]:
    """Return the codes in a line that can be read, with their sheets, and the line without them."""
    found = []
    rest, position = "", 0
    while match := _BEGINS.search(line, position):
        end, sheet = _code_at(line, match.start(), forms)
        if sheet:
            found.append((codes.bare(line[match.start() : end]), sheet))
            rest += line[position : match.start()] + "|"
            position = end
        else:
            rest += line[position : match.end()]
            position = match.end()
    return found, rest + line[position:]


def _code_at(line: str, start: int, forms: dict[str, Form]) -> tuple[int, Sheet | None]:
    """Return where the code that begins here ends, and its sheet, or None where none begins here."""
    form = forms.get(codes.bare(line[start : start + 2]))
    run = _RUN.match(line, start, start + LONGEST)
    for word in re.finditer(f"{_WORD}+", run.group()) if form and run else ():
        end = start + word.end()
        if form and len(codes.bare(line[start:end])) in form.lengths:
            with suppress(QuizTrouble):
                return end, codes.read_code(line[start:end], forms)
    return start, None


def _mixed(text: str) -> bool:
    """Say whether a text has letters and digits: words and telephone numbers are not taken for codes."""
    return any(c.isdigit() for c in text) and any(c.isalpha() for c in text)


def _quoted(code: str) -> str:
    """Return a doubtful code as it is shown, without words before it that may be a name."""
    return re.sub(rf"^(?:[A-Za-z]+{_JOIN})+(?=.*\d)", "", code)


def _why_not(code: str, forms: dict[str, Form]) -> str:
    try:
        codes.read_code(code, forms)
    except QuizTrouble as trouble:
        return f"was not counted. {trouble}"
    return "was not counted: it runs into other letters. Put a space around it."


def _sheet_in(path: Path, forms: dict[str, Form]) -> tuple[str, Sheet]:
    """Return pseudonym and sheet of a file of answers. Raises QuizTrouble where it is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QuizTrouble("It cannot be read.") from error
    answers, version = store.parsed(text)
    if answers is None:
        newer = version > store.VERSION
        raise QuizTrouble("It is of a newer version of the course." if newer else "It is no file of answers.")
    data = json.loads(text)
    lesson, pseudonym = str(data.get("lesson")), str(data.get("pseudonym") or "")
    if lesson not in forms:
        raise QuizTrouble(f"It is of lesson {lesson}, which has no questions here.")
    kept = forms[lesson].keep(answers)
    if not kept:
        raise QuizTrouble(f"It has no answers to the questions of lesson {lesson} as they stand now.")
    return pseudonym, Sheet(lesson, "", kept)


# --- showing ---------------------------------------------------------------------------------------------


def board_html(found: Gathered, forms: dict[str, Form], only: str = "") -> str:
    """Return the board as a piece of HTML: a section for each lesson, then what was not counted.

    Args:
        found: what was read.
        forms: the lessons' forms.
        only: a lesson, to leave the others out.

    Raises:
        BoardTrouble: no code could be read, or none of this lesson.
    """
    by_lesson: dict[str, list[Sheet]] = {}
    for sheet in found.sheets:
        by_lesson.setdefault(sheet.lesson, []).append(sheet)
    shown = [lesson for lesson in sorted(by_lesson) if lesson == (only or lesson)]
    if not shown:
        have = f" There are some of lesson {', '.join(sorted(by_lesson))}." if by_lesson else ""
        which = f"No code or file of answers{f' of lesson {only}' if only else ''} could be read."
        raise BoardTrouble("\n".join([which + have, *found.refused, *found.notes]))
    sections = board_page.sections([(forms[lesson], by_lesson[lesson]) for lesson in shown])
    return board_page.wrapped(sections, {"Not counted": found.refused, "To know": found.notes})


def write_board(source: str, out: Path, only: str = "") -> list[str]:
    """Draw the board of a file, a folder or "-" as one HTML page in `out`; return lines to print.

    Raises:
        BoardTrouble: there is nothing to draw, or the page cannot be written.
        QuizTrouble: the questions cannot be read.
    """
    from sahel_teacher.nb import write_text

    forms = all_forms()
    found = gather(source, forms)
    body = board_html(found, forms, only)
    path = out / (f"class-board-{only}.html" if only else "class-board.html")
    try:
        write_text(path, board_page.whole_page(body))
    except OSError as error:
        raise BoardTrouble(f"{path} cannot be written: {error.strerror or error}.") from error
    counted = Counter(sheet.lesson for sheet in found.sheets if sheet.lesson == (only or sheet.lesson))
    lines = [f"Lesson {lesson}: {count} counted." for lesson, count in sorted(counted.items())]
    return [*lines, *found.refused, *found.notes, f"The board is in {path}"]


def panel() -> None:
    """Show a box to paste codes into, a button, and below them the board (for a notebook)."""
    from IPython.display import display

    said = "Run this cell: a box to paste the class's codes into appears here, and below it the board."
    view = {"version_major": 2, "version_minor": 0, "model_id": panel_box(all_forms()).model_id}
    twin = {"text/html": f"<p><em>{said}</em></p>", "text/plain": said}
    display({"application/vnd.jupyter.widget-view+json": view, **twin}, raw=True)


def panel_box(forms: dict[str, Form]) -> Any:
    """Return the widgets of `panel` in one: box, button and board."""
    import ipywidgets as widgets

    box = widgets.Textarea(description="Codes", placeholder="04-...", rows=8)
    box.layout.width = "100%"
    button = widgets.Button(description="Draw the board", button_style="primary")
    below = widgets.HTML()

    def draw(_button: Any) -> None:
        try:
            below.value = board_html(gather_text(box.value, forms), forms)
        except BoardTrouble as trouble:
            below.value = board_page.listed(str(trouble).splitlines())

    button.on_click(draw)
    return widgets.VBox([box, button, below])


def show_board(source: str, only: str = "") -> None:
    """Show the board of a file or folder in a notebook; nothing where `source` is empty."""
    from IPython.display import HTML, display

    if not source:
        print(
            "Name a file of codes or a folder of files of answers in quotation marks, and run this cell again."
        )
        return
    try:
        forms = all_forms()
        display(HTML(board_html(gather(source, forms), forms, only)))
    except (BoardTrouble, QuizTrouble) as trouble:
        print(trouble)
