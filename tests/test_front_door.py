"""`python3 course.py ...` on a newcomer's machine: it works, or says in one sentence what to do."""

import ast
import json
import shutil
import subprocess
import sys

import nbformat
import pytest


def write_notebook(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    nb = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text, id=f"c{n}") for n, text in enumerate(cells)]
    )
    nbformat.write(nb, path)


def test_parses_on_an_old_python_so_that_it_can_say_too_old(root):
    ast.parse((root / "course.py").read_text("utf-8"), feature_version=(3, 7))


def test_needs_the_standard_library_only(root):
    code = "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; import runpy; "
    code += (
        f"sys.argv = ['course.py', 'help']; runpy.run_path({str(root / 'course.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "course.py lab" in done.stdout


def test_python_too_old_is_one_sentence(course, monkeypatch, capsys):
    monkeypatch.setattr(course.sys, "version_info", (3, 9, 2))
    assert course.main(["lab"]) == 1
    said = capsys.readouterr().out
    assert "needs Python 3.11 or newer" in said
    assert "3.9" in said
    assert said.count("\n") == 1


def test_missing_venv_module_names_the_command(course, monkeypatch, capsys):
    monkeypatch.setattr(course.shutil, "which", lambda name: None)
    monkeypatch.setattr(course, "quietly", lambda *command: (1, "No module named ensurepip"))
    assert course.main(["lab"]) == 1
    assert "sudo apt install python3" in capsys.readouterr().out


# The last lines that the installers print, as seen with the network cut, on a full disk, in a read-only folder.
@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError: Failed to establish a new connection: "
            "[Errno -3] Temporary failure in name resolution'\nERROR: No matching distribution found for anyio",
            "needs the internet",
        ),
        (
            "error: Failed to fetch: `https://example.invalid/simple/`\n  Caused by: dns error",
            "needs the internet",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied",
            "cannot be written",
        ),
        ("ERROR: something nobody has seen before", "something nobody has seen before"),
    ],
)
def test_a_failed_install_is_one_sentence(course, monkeypatch, capsys, printed, said):
    monkeypatch.setattr(course, "python_runs", lambda: True)
    monkeypatch.setattr(course, "run_with_progress", lambda command, wanted: printed)
    assert course.main(["lab"]) == 1
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert said in last
    assert "Traceback" not in last


def test_a_full_disk_is_said_before_the_download(course, monkeypatch, capsys):
    monkeypatch.setattr(course.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 5_000_000))
    assert course.main(["lab"]) == 1
    assert "5 MB free" in capsys.readouterr().out


def test_a_half_made_environment_is_repaired_and_the_second_call_does_nothing(course, capsys, monkeypatch):
    course.VENV.mkdir()
    (course.VENV / "pyvenv.cfg").write_text("home = /nowhere\n", encoding="utf-8")
    course.ensure("student")
    assert "half-made" in capsys.readouterr().out
    assert course.python_runs()
    assert course.ready("student")
    monkeypatch.setattr(course.subprocess, "run", None)  # any process started now would fail
    monkeypatch.setattr(course.subprocess, "Popen", None)
    course.ensure("student")
    assert capsys.readouterr().out == ""


def test_it_installs_again_only_when_the_pins_have_changed(course):
    course.ensure("student")
    assert course.ready("student")
    (course.ROOT / "requirements.txt").write_text("# another pin\n", encoding="utf-8")
    assert not course.ready("student")
    course.ensure("student")
    assert course.ready("student")


def test_first_hand_out_copies_and_the_next_leaves_alone(course, capsys):
    write_notebook(course.ROOT / "notebooks" / "00-a.ipynb", "1 + 1")
    course.hand_out()
    assert "work/notebooks/00-a.ipynb: new" in capsys.readouterr().out
    course.hand_out()
    assert capsys.readouterr().out == ""


def test_what_the_student_edited_is_never_overwritten(course, capsys):
    source, mine = course.ROOT / "notebooks" / "00-a.ipynb", course.WORK / "notebooks" / "00-a.ipynb"
    write_notebook(source, "1 + 1")
    course.hand_out()
    write_notebook(mine, "my own work")
    write_notebook(source, "2 + 2")
    course.hand_out()
    assert "my own work" in mine.read_text("utf-8")
    assert "kept" in capsys.readouterr().out


def test_what_the_student_did_not_touch_is_brought_up_to_date(course, capsys):
    source, mine = course.ROOT / "notebooks" / "00-a.ipynb", course.WORK / "notebooks" / "00-a.ipynb"
    write_notebook(source, "1 + 1")
    course.hand_out()
    write_notebook(source, "2 + 2")
    course.hand_out()
    assert "2 + 2" in mine.read_text("utf-8")
    assert "brought up to date" in capsys.readouterr().out


def test_a_notebook_that_was_only_run_is_brought_up_to_date_and_its_old_file_kept(course):
    source, mine = course.ROOT / "notebooks" / "00-a.ipynb", course.WORK / "notebooks" / "00-a.ipynb"
    write_notebook(source, "print(7)")
    course.hand_out()
    nb = nbformat.read(mine, as_version=4)
    nb.cells[0].outputs = [nbformat.v4.new_output("stream", text="7\n")]
    nbformat.write(nb, mine)
    write_notebook(source, "print(8)")
    course.hand_out()
    assert "print(8)" in mine.read_text("utf-8")
    assert "print(7)" in (course.WORK / "earlier" / "notebooks" / "00-a.ipynb").read_text("utf-8")


def test_a_damaged_copy_is_treated_as_the_students_own(course):
    source, mine = course.ROOT / "notebooks" / "00-a.ipynb", course.WORK / "notebooks" / "00-a.ipynb"
    write_notebook(source, "1 + 1")
    course.hand_out()
    mine.write_text("{ half a file", encoding="utf-8")
    write_notebook(source, "2 + 2")
    course.hand_out()
    assert mine.read_text("utf-8") == "{ half a file"


def test_doctor_names_a_changed_table_and_the_remedy(course, capsys):
    data = course.ROOT / "data"
    data.mkdir()
    (data / "events.csv").write_text("event_id\n", encoding="utf-8")
    package = {"resources": [{"path": "events.csv", "hash": "sha256:0"}]}
    (data / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    assert course.doctor([]) == 1
    said = capsys.readouterr().out
    assert "events.csv" in said
    assert "git checkout -- data" in said
    assert "There is no .venv yet" in said


def test_an_unknown_command_lists_the_known(course, capsys):
    assert course.main(["labb"]) == 2
    assert "lab" in capsys.readouterr().out
