"""What a teacher hands out (a folder and a ZIP without answers), and sets of exercises of a teacher's own.

A set of one's own lies in a folder of one's own and has a number such as P1, a capital letter and a digit, so
that it never meets a set of the course. It is built into that folder: exercises/, solutions/, teaching/ and
built/ (what `check` needs). A release holds what students need from there, and nothing else.
"""

import json
import shutil
import zipfile
from io import BytesIO
from pathlib import Path

from sahel_teacher.errors import BuildError
from sahel_teacher.exercises import Place, build_place
from sahel_teacher.nb import write_text
from sahel_teacher.skeletons import OWN_NUMBER, OWN_SET
from sahel_teacher.tables import seal

NAME = "fortress-niger"
FILES = ("course.py", "requirements.txt", "LICENSE", "LICENSE-CONTENT", "CITATION.cff")
FOLDERS = ("data", "notebooks", "exercises", "src/sahel")
NOT_HANDED_OUT = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # every entry of the ZIP: the same files give the same bytes


def own_place(root: Path, folder: Path) -> Place:
    """Return the places of a teacher's own folder of sets, with the words of the course beside its checks.

    Raises:
        BuildError: there is no set in it, or a set's name could meet one of the course.
    """
    sources = sorted(folder.glob("*-*.md")) if folder.is_dir() else []
    if not sources:
        raise BuildError(f"There is no exercise set in {folder}. course.py new-set makes one.")
    for source in sources:
        if not OWN_SET.match(source.stem):
            raise BuildError(f"{source.name} is no name for a set of your own: it needs {OWN_NUMBER}.")
    built = folder / "built"
    words = (root / "src" / "sahel" / "built" / "words.json").read_text(encoding="utf-8")
    write_text(built / "words.json", words)
    return Place(folder, folder, built, Place.course(root).data)


def build_own(root: Path, folder: Path, check: bool = False) -> list[str]:
    """Build the sets of a teacher's own folder; return one line for each file that changed.

    Raises:
        BuildError: as `sahel_teacher.exercises.build_exercises`.
    """
    return build_place(own_place(root, folder), check)


def release(root: Path, out: Path, sets: Path | None = None, digests: bool = True) -> list[str]:
    """Write the folder and the ZIP that a teacher hands out; return a line for each.

    Args:
        root: the course's folder.
        out: where both go.
        sets: a folder of a teacher's own sets; they are built, and handed out beside the course's.
        digests: False leaves what `check` needs out of one's own sets: they are checked when graded.

    Raises:
        BuildError: something is not built, or a folder there holds what this command did not write.
    """
    drift = [*seal(root, check=True), *build_place(Place.course(root), check=True)]
    if drift:
        raise BuildError("\n".join([*drift, "Nothing was released. First: course.py build"]))
    if sets and build_own(root, sets, check=True):  # built again only where something has changed
        build_own(root, sets)
    files = bundle(root, sets, digests)
    target = out / NAME
    unknown = [path for path in _files(target) if path.relative_to(target).as_posix() not in files]
    if unknown:
        raise BuildError(
            f"{unknown[0]} was not written by a release: move {target} away, or name another folder with --out."
        )
    _write_folder(files, target)
    archive = out / f"{NAME}.zip"
    draft = archive.with_name(archive.name + ".tmp")
    draft.write_bytes(_zipped(files))
    draft.replace(archive)
    return [f"{target} ({len(files)} files)", f"{archive} ({archive.stat().st_size / 1e6:.1f} MB)"]


def bundle(root: Path, sets: Path | None = None, digests: bool = True) -> dict[str, bytes]:
    """Return what is handed out: each file's path in the bundle and its bytes."""
    found = {name: (root / name).read_bytes() for name in FILES}
    for folder in FOLDERS:
        for path in _files(root / folder):
            found[path.relative_to(root).as_posix()] = path.read_bytes()
    names = [path.stem for path in Place.course(root).set_files()]
    if sets:
        for path in sorted((sets / "exercises").glob("*.ipynb")):
            if (sets / f"{path.stem}.md").is_file():
                found[f"exercises/{path.name}"] = path.read_bytes()
                record = (sets / "built" / "checks" / f"{path.stem[:2]}.json").read_text(encoding="utf-8")
                found[f"src/sahel/built/checks/{path.stem[:2]}.json"] = _record(record, digests)
                names.append(path.stem)
    readme = (root / "content" / "en" / "for-students.md").read_text(encoding="utf-8")
    found["README.md"] = readme.format(sets=", ".join(f"`{name}`" for name in names)).encode("utf-8")
    return found


def _record(text: str, digests: bool) -> bytes:
    """Return what `check` needs for a set, with its digests or with the word that it is checked when graded."""
    if digests:
        return text.encode("utf-8")
    tasks = json.loads(text)["tasks"]
    kept = {
        number: {"only": task.get("only", "when_graded"), "hints": task["hints"]}
        for number, task in tasks.items()
    }
    return json.dumps({"tasks": kept}, indent=1, ensure_ascii=False).encode("utf-8")


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder in order, without what Python and Jupyter leave behind."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not NOT_HANDED_OUT & set(path.parts) and path.suffix != ".tmp"
    ]


def _write_folder(files: dict[str, bytes], target: Path) -> None:
    """Write the folder beside its place, then put it there."""
    draft = target.with_name(target.name + ".tmp")
    shutil.rmtree(draft, ignore_errors=True)
    for name, content in files.items():
        path = draft / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if target.exists():
        shutil.rmtree(target)
    draft.replace(target)


def _zipped(files: dict[str, bytes]) -> bytes:
    """Return the ZIP of a release: sorted, with fixed dates, all in one folder."""
    held = BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{NAME}/{name}", FIRST_DAY)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            entry.external_attr = (0o755 if name == "course.py" else 0o644) << 16
            archive.writestr(entry, files[name])
    return held.getvalue()
