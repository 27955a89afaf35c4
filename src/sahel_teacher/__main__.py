"""Commands for teachers and developers: `course.py build`, `test`, `board` and others end up here."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _parser() -> argparse.ArgumentParser:
    from sahel_teacher.exports import TARGETS

    parser = argparse.ArgumentParser(prog="course.py")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build notebooks, exercises and solutions from content/")
    build.add_argument("lessons", nargs="*", metavar="NN", help="lesson numbers; all where none is given")
    build.add_argument(
        "--check", action="store_true", help="change nothing; fail where something is not built"
    )
    build.add_argument(
        "--sets", type=Path, metavar="FOLDER", help="build a folder of your own sets, and nothing else"
    )
    build.add_argument(
        "--reread",
        nargs="+",
        default=[],
        metavar="NN.N",
        help="quiz items read against rows that have changed",
    )
    build.add_argument(
        "--pictures",
        action="store_true",
        help="take the pictures in docs/pictures/ anew, and nothing else (needs Chromium)",
    )
    build.add_argument(
        "--site",
        type=Path,
        nargs="?",
        const=ROOT / "dist" / "site",
        metavar="FOLDER",
        help="the course for a browser, as a static site, and nothing else; dist/site where none is given",
    )
    build.add_argument(
        "--pyodide",
        type=Path,
        metavar="FOLDER",
        help="with --site: a downloaded Pyodide, so that the site needs no other server",
    )
    test = commands.add_parser("test", help="run every check")
    test.add_argument(
        "--lax", action="store_true", help="compare no notebook outputs (other systems, versions)"
    )
    depends = commands.add_parser("depends", help="say where a row of the tables is used")
    depends.add_argument("row", metavar="ID", help="such as F030, C012, E095 or the id of a source")
    board = commands.add_parser("board", help="show what the codes of a class say about each question")
    board.add_argument(
        "source", metavar="FILE_OR_FOLDER", help="codes, or files of answers; - to paste codes"
    )
    board.add_argument("--lesson", default="", metavar="NN", help="one lesson; all where none is given")
    board.add_argument("--out", type=Path, metavar="FOLDER", help="where to; work/board where none is given")
    export = commands.add_parser(
        "export", help="write the quiz bank for another system, or a reader to print"
    )
    kinds = export.add_subparsers(dest="what", required=True)
    quizzes = kinds.add_parser("quizzes", help="the quiz bank for another system, or for paper")
    quizzes.add_argument("--to", required=True, choices=list(TARGETS), help="the system")
    reader = kinds.add_parser("reader", help="the whole course as one file to read or print")
    reader.add_argument("--to", choices=["html", "pdf"], default="html", help="pdf: HTML and PDF")
    reader.add_argument(
        "--with-answers", action="store_true", help="a copy for teachers, with worked answers"
    )
    for part in (quizzes, reader):
        part.add_argument(
            "--lesson", nargs="+", default=[], metavar="NN", help="lesson numbers; all where none is given"
        )
        part.add_argument(
            "--out", type=Path, metavar="FOLDER", help="where to; in work/exports where none is given"
        )
    release = commands.add_parser("release", help="make what students get: a folder and a ZIP, no answers")
    release.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where to; the course's dist/ where none is given"
    )
    release.add_argument("--sets", type=Path, metavar="FOLDER", help="hand out your own sets too")
    release.add_argument(
        "--no-checks", action="store_true", help="without the digests of your own sets: checked when graded"
    )
    own = commands.add_parser("new-set", help="write the skeleton of an exercise set of your own")
    own.add_argument("folder", type=Path, metavar="FOLDER", help="a folder of yours, outside the course")
    own.add_argument("name", metavar="P1-SLUG", help="a capital letter, a digit, a short name")
    own.add_argument("--title", help="the set's title")
    lesson = commands.add_parser("new-lesson", help="write the skeleton of a lesson, its quiz and its plan")
    lesson.add_argument("name", metavar="NN-SLUG", help="two digits and a short name")
    lesson.add_argument("--title", help="the lesson's title")
    grade = commands.add_parser("grade", help="grade what students handed in")
    grade.add_argument("set", metavar="NN", help="the set's number, such as 02")
    grade.add_argument("submissions", type=Path, help="a folder, a ZIP of Moodle or Canvas, or one notebook")
    grade.add_argument("--sets", type=Path, metavar="FOLDER", help="a folder of your own sets")
    grade.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where marks go; grades/NN where none is given"
    )
    grade.add_argument(
        "--gradebook",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="your export from Moodle or Canvas, to be filled in",
    )
    grade.add_argument("--jobs", type=int, help="how many at once; as many as processors, at most 4")
    grade.add_argument(
        "--cluster", default="", metavar="ADDRESS", help="a dask.distributed scheduler, in place of --jobs"
    )
    grade.add_argument(
        "--isolation", choices=["auto", "none"], default="auto", help="none: run student code without walls"
    )
    grade.add_argument("--seed", type=int, help="of fresh data; that of the last run where none is given")
    return parser


def run_build(options: argparse.Namespace) -> int:
    """Build, print one line per changed file, and return 1 where --check finds drift or the build fails."""
    from sahel_teacher.build import build
    from sahel_teacher.errors import BuildError
    from sahel_teacher.release import build_own
    from sahel_teacher.site import build_site
    from sahel_teacher.suite import take_pictures

    try:
        if options.pictures:
            changed = take_pictures(ROOT)
        elif options.site:
            changed = build_site(ROOT, _path(options.site), options.pyodide and _path(options.pyodide))
        elif options.sets:
            changed = build_own(ROOT, _path(options.sets), options.check)
        else:
            changed = build(ROOT, options.lessons, options.check, tuple(options.reread))
    except BuildError as error:
        print(error)
        return 1
    print("\n".join(changed) or "Everything is as its sources give.")
    return int(options.check and bool(changed))


def _path(given: Path) -> Path:
    return given.expanduser().resolve()


def run_release(options: argparse.Namespace) -> int:
    """Make what students get; return 1 where something is not built or in the way."""
    from sahel_teacher.errors import BuildError
    from sahel_teacher.release import release

    sets = _path(options.sets) if options.sets else None
    try:
        print("\n".join(release(ROOT, _path(options.out or ROOT / "dist"), sets, not options.no_checks)))
    except BuildError as error:
        print(error)
        return 1
    return 0


def run_new_set(options: argparse.Namespace) -> int:
    """Write the skeleton of a set; return 1 where that cannot be."""
    from sahel_teacher.errors import BuildError
    from sahel_teacher.skeletons import new_set

    folder = _path(options.folder)
    try:
        print(f"{new_set(ROOT, folder, options.name, options.title)} written: the rules stand at its top.")
    except BuildError as error:
        print(error)
        return 1
    print(f'Build it: course.py build --sets "{folder}". Hand it out: course.py release --sets "{folder}"')
    return 0


def run_new_lesson(options: argparse.Namespace) -> int:
    """Write the skeletons of a lesson; return 1 where that cannot be."""
    from sahel_teacher.errors import BuildError
    from sahel_teacher.skeletons import new_lesson

    try:
        for path in new_lesson(ROOT, options.name, options.title):
            print(f"{path.relative_to(ROOT).as_posix()} written")
    except BuildError as error:
        print(error)
        return 1
    print(f"Build it: course.py build {options.name[:2]}. It runs as it stands; rules: top of the lesson.")
    return 0


def run_test(options: argparse.Namespace) -> int:
    """Run every check and return 0 if all passed."""
    from sahel_teacher.suite import run_suite

    return run_suite(ROOT, options.lax)


def run_depends(options: argparse.Namespace) -> int:
    """Say where a row is named, and return 1 where nothing names it."""
    from sahel_teacher.outcomes import resting_on

    found = resting_on(ROOT, options.row)
    print("\n".join(found) or f"Nothing in the course names {options.row}.")
    return int(not found)


def run_board(options: argparse.Namespace) -> int:
    """Draw the class board, and return 1 where there is nothing to draw."""
    from sahel.quizzes.bank import QuizTrouble
    from sahel_teacher.board import BoardTrouble, write_board

    try:
        out = _path(options.out or ROOT / "work" / "board")
        print("\n".join(write_board(options.source, out, options.lesson)))
    except (QuizTrouble, BoardTrouble) as trouble:
        print(trouble)
        return 1
    return 0


def run_export(options: argparse.Namespace) -> int:
    """Export, say what was written and what is lost, and return 1 where it cannot be done."""
    from sahel.quizzes.bank import QuizTrouble
    from sahel_teacher.exports import ExportTrouble, export_quizzes, export_reader

    reader = options.what == "reader"
    folder = _path(options.out or ROOT / "work" / "exports" / (options.what if reader else options.to))
    try:
        if reader:
            made = export_reader(ROOT, options.lesson, folder, options.with_answers, options.to == "pdf")
        else:
            made = export_quizzes(options.to, options.lesson, folder)
        print("\n".join(made))
    except (QuizTrouble, ExportTrouble) as trouble:
        print(trouble)
        return 1
    return 0


def run_grade(options: argparse.Namespace) -> int:
    """Grade submissions; the exit codes are told in sahel_teacher.grading.cli."""
    from sahel_teacher.grading.cli import run_grade as grade

    options.submissions, options.gradebook = _path(options.submissions), [_path(p) for p in options.gradebook]
    options.sets, options.out = (_path(p) if p else None for p in (options.sets, options.out))
    return grade(ROOT, options)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    commands = {
        "build": run_build,
        "test": run_test,
        "depends": run_depends,
        "board": run_board,
        "export": run_export,
        "release": run_release,
        "new-set": run_new_set,
        "new-lesson": run_new_lesson,
        "grade": run_grade,
    }
    return commands[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
