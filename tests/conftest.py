"""What tests share: the course's folder, and the front door as a module."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from sahel.quizzes import store
from sahel_teacher.bank import build_quizzes

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root():
    """The course's folder."""
    return ROOT


def made_up_course(root, *items):
    """Make a course of made-up quiz items only (folders under tests/), with the real schema and words."""
    for name in items or ("quiz_items",):
        shutil.copytree(ROOT / "tests" / name, root, dirs_exist_ok=True)
    for name in ("quizzes/schema.json", "words.yaml"):
        shutil.copy(ROOT / "content" / "en" / name, root / "content" / "en" / name)
    return root


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the built bank of made-up items."""
    root = made_up_course(tmp_path_factory.mktemp("course"))
    build_quizzes(root)
    return root / "src/sahel/built"


@pytest.fixture
def folder(built, tmp_path, monkeypatch):
    """The folder of answers of this test; the bank is the made-up one."""
    monkeypatch.setenv("SAHEL_BUILT", str(built))
    monkeypatch.setenv("SAHEL_RESPONSES", str(tmp_path / "responses"))
    monkeypatch.setattr(store, "_unsaved", {})
    return tmp_path / "responses"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """course.py as a module that works in an empty folder, as if that were the clone."""
    spec = importlib.util.spec_from_file_location("course_under_test", ROOT / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv = tmp_path / ".venv"
    for name, value in {
        "ROOT": tmp_path,
        "VENV": venv,
        "WORK": tmp_path / "work",
        "STAMP": venv / module.STAMP.name,
        "LOG": venv / module.LOG.name,
    }.items():
        monkeypatch.setattr(module, name, value)
    for name in module.PINS.values():
        (tmp_path / name).write_text("# nothing: so that the set-up needs no network\n", encoding="utf-8")
    return module


def pytest_report_header():
    """Say at the top which Python runs the tests."""
    return f"Python {sys.version.split()[0]}"
