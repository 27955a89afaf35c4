"""Commands for teachers and developers: `course.py build` and `course.py test` end up here."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="course.py")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build notebooks, exercises and solutions from content/")
    build.add_argument("lessons", nargs="*", metavar="NN", help="lesson numbers; all where none is given")
    build.add_argument(
        "--check", action="store_true", help="change nothing; fail where something is not built"
    )
    test = commands.add_parser("test", help="run every check")
    test.add_argument(
        "--lax", action="store_true", help="compare no notebook outputs (other systems, versions)"
    )
    return parser


def run_build(options: argparse.Namespace) -> int:
    """Build, print one line per changed file, and return 1 where --check finds drift or the build fails."""
    from sahel_teacher.build import build
    from sahel_teacher.nb import BuildError

    try:
        changed = build(ROOT, options.lessons, options.check)
    except BuildError as error:
        print(error)
        return 1
    print("\n".join(changed) or "Everything is as its sources give.")
    return int(options.check and bool(changed))


def run_test(options: argparse.Namespace) -> int:
    """Run every check and return 0 if all passed."""
    from sahel_teacher.suite import run_suite

    return run_suite(ROOT, options.lax)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    return {"build": run_build, "test": run_test}[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
