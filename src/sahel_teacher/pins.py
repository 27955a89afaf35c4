"""Derive environment.yml (conda, mamba, Binder) from the pins that pip and uv use."""

import re
import tomllib
from pathlib import Path

# conda-forge's matplotlib brings Qt with it; matplotlib-base is the same without windows.
CONDA_NAMES = {"matplotlib": "matplotlib-base"}
HEADER = """\
# conda env create -f environment.yml     (mamba and Binder read the same file)
# Built by `course.py build` from requirements.txt and requirements-dev.txt: change pyproject.toml, not this.
"""


def pins(path: Path) -> dict[str, str]:
    """Return {package: version} of a requirements file, the first line where a package has several."""
    found: dict[str, str] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", path.read_text("utf-8"), re.MULTILINE):
        found.setdefault(name, version)
    return found


def environment(root: Path) -> str:
    """Return the text of environment.yml: what a student's notebooks import, JupyterLab, and nbval.

    Versions are given as major.minor, since conda channels may lag behind by a patch release.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    direct = [*project["dependencies"], *project["optional-dependencies"]["lab"], "nbval"]
    names = sorted(re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in direct)
    pinned = pins(root / "requirements-dev.txt") | pins(root / "requirements.txt")
    lines = [f"  - {CONDA_NAMES.get(name, name)}={'.'.join(pinned[name].split('.')[:2])}" for name in names]
    head = ["name: fortress-niger", "channels:", "  - conda-forge", "dependencies:", "  - python=3.12"]
    return HEADER + "\n".join([*head, *lines, "  - pip", "  - pip:", "      - -e ."]) + "\n"
