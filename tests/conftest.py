"""What tests share: the course's folder, and the front door as a module."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root():
    """The course's folder."""
    return ROOT


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
