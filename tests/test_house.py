"""The house: small, one way through the rooms, the same pins everywhere, and nothing of anybody's machine."""

import ast
import json
import re
import subprocess
import tomllib

import pytest
import yaml

import sahel
from sahel_teacher.pins import CONDA_NAMES, environment, pins

# Lines of Python that a reader has to go through. Raise a budget only on purpose, with a reason in the commit
# (2,500 for sahel: eight types of quiz items, a class's codes, the check of a memo's citations. 8,900 for
# sahel_teacher: four kinds of export, the board, exercise sets with variants, the release, the grader
# and its panel).
BUDGETS = {"src/sahel": 2500, "src/sahel_teacher": 8900, "course.py": 520}
# No way of a person's or a server's machine, and no address of a package index.
FORBIDDEN = [
    r"/root/",
    r"(?<!\w)/home/\w",
    r"/Users/\w",
    r"pypi\.(org|python)",
    r"pythonhosted",
    r"npmjs",
    r"/work/main",
]


def tracked(root):
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    return [root / name for name in listed.stdout.splitlines() if (root / name).is_file()]


def modules(root, package):
    return sorted((root / "src" / package).rglob("*.py"))


def test_the_code_stays_small_enough_to_be_read(root):
    for name, budget in BUDGETS.items():
        path = root / name
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        lines = sum(len(file.read_text("utf-8").splitlines()) for file in files)
        assert lines <= budget, f"{name} has {lines} lines; its budget is {budget}"


def imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_students_package_never_needs_the_teachers(root):
    for path in modules(root, "sahel"):
        assert not any(name.startswith("sahel_teacher") for name in imports(path)), path.name


def test_imports_run_one_way(root):
    """data knows nobody above it; figures, quizzes and checks do not know each other."""
    below = {
        "data": {"errors"},
        "errors": set(),
        "cite": {"data", "errors"},
        "figures": {"data", "cite", "errors"},
    }
    for name, allowed in below.items():
        used = {
            m.split(".")[1] for m in imports(root / "src" / "sahel" / f"{name}.py") if m.startswith("sahel.")
        }
        assert used <= allowed, (name, used)
    for part, other in (("quizzes", "checks"), ("quizzes", "figures")):
        for path in (root / "src" / "sahel" / part).rglob("*.py"):
            assert f"sahel.{other}" not in set(imports(path)), path.name


def test_nothing_of_anybodys_machine_is_in_the_project(root):
    for path in tracked(root):
        if path.suffix in (".png", ".geojson") or path.name == "test_house.py":
            continue
        text = path.read_text("utf-8")
        text = re.sub(r"https?://[^\s,\"')]+/home/", "", text)
        text = re.sub(r"base64,[A-Za-z0-9+/=]+|\"image/png\": \"[^\"]*\"", "", text)
        found = [pattern for pattern in FORBIDDEN if re.search(pattern, text)]
        assert not found or path.name in ("test_lessons.py",), f"{path.relative_to(root)}: {found}"


def test_pins_carry_no_addresses_and_agree_with_each_other(root):
    student, developer = pins(root / "requirements.txt"), pins(root / "requirements-dev.txt")
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert "://" not in (root / name).read_text("utf-8")
    assert all(developer[name] == version for name, version in student.items())
    assert not {"pytest", "frictionless", "playwright", "mypy", "jupytext"} & set(student), (
        "a student stays light"
    )


def test_environment_yml_is_valid_and_comes_from_the_pins(root):
    text = (root / "environment.yml").read_text("utf-8")
    assert text == environment(root)
    read = yaml.safe_load(text)
    named = dict(line.split("=", 1) for line in read["dependencies"] if isinstance(line, str) and "=" in line)
    for name in ("jupyterlab", "pandas", "ipywidgets", "nbval", "anywidget", "matplotlib"):
        pinned = (pins(root / "requirements-dev.txt"))[name]
        assert pinned.startswith(named[CONDA_NAMES.get(name, name)] + ".")


def test_the_version_is_the_same_wherever_it_stands(root):
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    version = project["version"]
    assert sahel.__version__ == citation["version"] == version
    assert json.loads((root / "data" / "datapackage.json").read_text("utf-8"))["version"] == version
    assert f"version {version}" in (root / "README.md").read_text("utf-8")
    changes = (root / "CHANGELOG.md").read_text("utf-8")
    assert f"## {version} – {citation['date-released']}" in changes


def test_every_table_names_its_licence(root):
    package = json.loads((root / "data" / "datapackage.json").read_text("utf-8"))
    assert all(resource["licenses"][0]["title"] for resource in package["resources"])
    by_sa = [r["path"] for r in package["resources"] if r["licenses"][0]["name"] == "CC-BY-SA-4.0"]
    assert all(path.startswith("cc-by-sa/") for path in by_sa), "share-alike tables lie apart"
    assert by_sa


def test_readme_names_commands_and_files_that_exist(root):
    readme = (root / "README.md").read_text("utf-8")
    for link in re.findall(r"\]\((?!http)([^)#]+)", readme):
        assert (root / link).exists(), link
    known = {"depends", "lab", "doctor", "test", "build", "board", "export", "run", "release", "new", "grade"}
    assert set(re.findall(r"course\.py (\w+)", readme)) <= known


def pictures_in(page):
    """Return (file, alternative text) of each picture that a page of Markdown shows."""
    text = page.read_text("utf-8")
    shown = [(name, words) for words, name in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", text)]
    for tag in re.findall(r"<img\s[^>]*>", text):
        named = dict(re.findall(r'(src|alt)="([^"]*)"', tag))
        shown.append((named["src"], named.get("alt", "")))
    return shown


def test_pages_show_only_pictures_that_exist_and_say_them_in_words(root):
    folder = root / "docs" / "pictures"
    pages = [*root.glob("*.md"), *root.glob("teaching/*.md"), *root.glob("docs/**/*.md")]
    for page in pages:
        for name, words in pictures_in(page):
            where = f"{page.relative_to(root)} shows {name}"
            assert (page.parent / name).is_file(), f"{where}, which is not there"
            assert len(words.split()) > 5, f"{where}: say in words what is seen there"
    told = {name for name, _ in pictures_in(folder / "README.md")}
    assert told == {path.name for path in folder.glob("*.png")}
    for path in folder.glob("*.png"):
        width = int.from_bytes(path.read_bytes()[16:20])
        assert width <= 1200, path.name
        assert path.stat().st_size < 250_000, path.name


@pytest.mark.parametrize("name", [".ci/run", "course.py"])
def test_commands_can_be_started(root, name):
    assert (root / name).read_text("utf-8").startswith("#!")
