"""Build the course as a static site that runs in a browser, on JupyterLite and Pyodide: `course.py build --site`.

The site holds JupyterLab and the plain notebook view, what students get (lessons, exercises, tables), the
course's wheel and the few wheels that Pyodide's own distribution lacks. All of them are entered in a copy of
Pyodide's lock file, so that `import sahel` in a cell fetches them: no lesson is changed, nothing is typed.
"""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sahel_teacher.errors import BuildError
from sahel_teacher.exercises import Place, build_place
from sahel_teacher.nb import write_text
from sahel_teacher.pins import pins
from sahel_teacher.release import bundle
from sahel_teacher.tables import seal

Lock = dict[str, Any]  # pyodide-lock.json: {"info": ..., "packages": {name: {"file_name": ..., ...}}}

HANDED_OUT = ("notebooks/", "exercises/", "data/")
KERNEL = "@jupyterlite/pyodide-kernel-extension"
EXTENSIONS = (KERNEL, "@jupyter-widgets/jupyterlab-manager", "anywidget")
APPS = ["lab", "notebooks", "tree"]
# Pure Python that Pyodide's distribution lacks; from the package index, in the versions of requirements.txt.
FROM_INDEX = ("ipywidgets", "anywidget", "psygnal", "comm")
# What ipywidgets asks for and a browser has already: the extension in the page.
IN_THE_PAGE = {"jupyterlab-widgets", "widgetsnbextension"}
# Pyodide's Python has no hashlib.scrypt, which `check` needs; this package of its distribution has one.
SCRYPT = "pycryptodome"
# What the kernel would otherwise ask a package index for, one after the other, at each start.
AT_START = ("micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython")
KERNEL_WHEELS = ("ipykernel-", "piplite-", "pyodide_kernel-")  # they come with JupyterLite's kernel
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
RESPONSES = "/drive/responses"  # /drive is what the file browser shows; the browser's storage keeps it
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
OURS = "fortress-niger-site.txt"
# JupyterLite reads this of the first page, whatever else stands there.
PAGE_CONFIG = (
    '<script id="jupyter-config-data" type="application/json" data-jupyter-lite-root=".">{}</script>'
)


def build_site(root: Path, out: Path, pyodide: Path | None = None) -> list[str]:
    """Build the site; return a line for each thing to know about it.

    Args:
        root: the course's folder.
        out: where the site goes; an earlier site there is replaced.
        pyodide: a downloaded Pyodide distribution. What the course needs of it goes into the site; what is not
            in that folder, or all where None, is fetched by the browser from Pyodide's public server.

    Raises:
        BuildError: something is not built, is missing, cannot be fetched, or is in the way.
    """
    if out.exists() and not (out / OURS).is_file() and any(out.iterdir()):
        raise BuildError(f"{out} holds something that is not a site of the course: name another folder.")
    _need_jupyterlite()
    lock = _base_lock(pyodide)
    drift = [*seal(root, check=True), *build_place(Place.course(root), check=True)]
    if drift:
        raise BuildError("\n".join([*drift, "No site was built. First: course.py build"]))
    with TemporaryDirectory() as work:
        site = _jupyterlite(root, Path(work))
        absent = _add_python(site, lock, _fetch_wheels(root, Path(work) / "wheels"), pyodide)
        _write_start_page(root, site)
        write_text(site / OURS, "Built by course.py build --site, which replaces this whole folder.\n")
        draft = out.with_name(out.name + ".tmp")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(site, draft)
    shutil.rmtree(out, ignore_errors=True)
    draft.replace(out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return [f"{out} ({size / 1e6:.0f} MB)", _what_is_fetched(absent)]


def _what_is_fetched(absent: list[str]) -> str:
    if not absent:
        return "The site needs no other server."
    return f"At run time the browser fetches from Pyodide's public server: {', '.join(absent)}."


def _need_jupyterlite() -> None:
    missing = [
        name
        for name in ("jupyterlite_core", "jupyterlite_pyodide_kernel")
        if not importlib.util.find_spec(name)
    ]
    if missing:
        raise BuildError(
            f"{' and '.join(missing)} are not installed: delete .venv/course-stamp.json, call again."
        )


def _jupyterlite(root: Path, work: Path) -> Path:
    """Build a JupyterLite site with the students' files; return its folder."""
    site = work / "site"
    for name, content in bundle(root).items():
        if name.startswith(HANDED_OUT):
            path = work / "files" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    extensions = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
    config = {
        "apps": APPS,
        "contents": [str(work / "files")],
        "federated_extensions": [str(extensions / name) for name in EXTENSIONS],
        "ignore_sys_prefix": True,  # no extension that only this computer has
        "no_libarchive": True,
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "output_dir": str(site),
    }
    _write_json(work / "jupyter_lite_config.json", {"LiteBuildConfig": config})
    _write_json(work / "overrides.json", SETTINGS)
    _run([sys.executable, "-m", "jupyterlite_core", "build"], work, "JupyterLite could not be built")
    return site


def _add_python(site: Path, lock: Lock, wheels: list[Path], pyodide: Path | None) -> list[str]:
    """Put wheels, Pyodide as far as it is there, and the lock file into the site; return what is not there."""
    folder = site / "static" / "pyodide"
    folder.mkdir(parents=True)
    from_kernel = (site / "extensions" / KERNEL / "static" / "pypi").glob("*.whl")
    for wheel in [*wheels, *(path for path in from_kernel if path.name.startswith(KERNEL_WHEELS))]:
        shutil.copyfile(wheel, folder / wheel.name)
        entry = lock_entry(wheel, lock["info"]["python"])
        lock["packages"][entry["name"]] = entry
    absent = []
    for package in _needed(lock, ["fortress-niger", *AT_START]):
        name = package["file_name"].rpartition("/")[2]
        if pyodide and (pyodide / name).is_file():
            shutil.copyfile(pyodide / name, folder / name)
            package["file_name"] = name
        elif package["file_name"] != name:
            absent.append(package["name"])
    if pyodide:
        for name in CORE:
            shutil.copyfile(pyodide / name, folder / name)
    _write_json(folder / "pyodide-lock.json", lock)
    _configure(site, local=pyodide is not None)
    return absent if pyodide else ["Python itself", *absent]


def _base_lock(pyodide: Path | None) -> Lock:
    """Return Pyodide's own lock file, in which every package has its whole address on Pyodide's public server."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL, PYODIDE_VERSION

    if pyodide:
        _check_pyodide(pyodide, PYODIDE_VERSION)
        lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
    else:
        address = f"{PYODIDE_CDN_URL}/pyodide-lock.json"
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                lock = json.load(answer)
        except (OSError, ValueError) as error:
            raise BuildError(
                f"{address} could not be read ({error}). Connect to the internet, or download Pyodide "
                f"{PYODIDE_VERSION}, unpack it, and name its folder: --pyodide FOLDER"
            ) from error
    for package in lock["packages"].values():
        package["file_name"] = f"{PYODIDE_CDN_URL}/{package['file_name']}"
    return dict(lock)


def _check_pyodide(folder: Path, version: str) -> None:
    """See that a folder is a Pyodide distribution of the version that JupyterLite's kernel was made for."""
    missing = [name for name in (*CORE, "pyodide-lock.json") if not (folder / name).is_file()]
    if missing:
        raise BuildError(f"{folder} is no Pyodide distribution: it has no {', '.join(missing)}.")
    if f'"{version}"' not in (folder / "pyodide.mjs").read_text(encoding="utf-8"):
        raise BuildError(f"{folder} is not Pyodide {version}, the version that JupyterLite's kernel needs.")


def _fetch_wheels(root: Path, wheels: Path) -> list[Path]:
    """Build the course's own wheel, fetch those that Pyodide lacks; return their paths."""
    pinned = pins(root / "requirements.txt")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    _run(build, root, "The course's wheel could not be built")
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    fetch += ["--platform=any", "--implementation=py", "--abi=none", "--dest", str(wheels)]
    fetch += [f"{name}=={pinned[name]}" for name in FROM_INDEX]
    _run(fetch, root, "The widgets' packages could not be fetched from the package index")
    return sorted(wheels.glob("*.whl"))


def lock_entry(wheel: Path, python: str) -> dict[str, Any]:
    """Return what Pyodide's lock file says of a wheel that lies beside it.

    Args:
        wheel: a wheel of pure Python.
        python: the version of Python in the browser, such as "3.14.2": some requirements depend on it.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    browser = {
        "extra": "",
        "os_name": "posix",
        "platform_machine": "wasm32",
        "platform_system": "Emscripten",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "emscripten",
    }
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist() if name.endswith(".py")}
        info = next(name.split("/")[0] for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        found = PathDistribution(zipfile.Path(archive, f"{info}/"))
        name, version = canonicalize_name(found.metadata["Name"]), found.version
        asked = [Requirement(text) for text in found.requires or []]
    needs = {
        str(canonicalize_name(one.name)) for one in asked if not one.marker or one.marker.evaluate(browser)
    }
    if name == "fortress-niger":
        needs.add(SCRYPT)
    return {
        "name": name,
        "version": version,
        "file_name": wheel.name,
        "install_dir": "site",
        "package_type": "package",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "imports": sorted(top.removesuffix(".py") for top in tops if top.removesuffix(".py").isidentifier()),
        "depends": sorted(needs - IN_THE_PAGE),
        "unvendored_tests": False,
    }


def _needed(lock: Lock, names: list[str]) -> list[dict[str, Any]]:
    """Return the packages of these names and all that they need, sorted by name.

    Raises:
        BuildError: one is not in the lock file.
    """
    from packaging.utils import canonicalize_name

    known = {canonicalize_name(name): package for name, package in lock["packages"].items()}
    found: dict[str, dict[str, Any]] = {}
    open_ends = [canonicalize_name(name) for name in names]
    while open_ends:
        name = open_ends.pop()
        if name in found:
            continue
        if name not in known:
            raise BuildError(
                f"The course needs {name} in the browser, and neither Pyodide nor the site has it."
            )
        found[name] = known[name]
        open_ends += [canonicalize_name(one) for one in known[name]["depends"]]
    return [found[name] for name in sorted(found)]


def _configure(site: Path, local: bool) -> None:
    """Tell JupyterLite where Python and its packages are, and where answers go."""
    path = site / "jupyter-lite.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    data = config["jupyter-config-data"]
    data["appName"] = "Fortress Niger"
    settings = data["litePluginSettings"][f"{KERNEL}:kernel"]
    settings["disablePyPIFallback"] = True
    settings["loadPyodideOptions"] = {
        "lockFileURL": "./static/pyodide/pyodide-lock.json",
        "packages": list(AT_START),
        "env": {"SAHEL_RESPONSES": RESPONSES},
    }
    if local:
        settings["pyodideUrl"] = "./static/pyodide/pyodide.mjs"
    _write_json(path, config)


def _write_start_page(root: Path, site: Path) -> None:
    """Put a page with a link to every lesson and exercise set in the place of JupyterLite's own first page."""
    from nbconvert.filters import markdown2html

    text = (root / "content" / "en" / "in-the-browser.md").read_text(encoding="utf-8")
    filled = text.format(lessons=_rows(site, "notebooks"), exercises=_rows(site, "exercises"))
    title = text.splitlines()[0].removeprefix("# ")
    style = (
        "body{font:1.05em/1.5 sans-serif;max-width:48em;margin:2em auto;padding:0 1em}"
        "th,td{text-align:left;padding:.2em 1em .2em 0}table{margin:1em 0}.anchor-link{display:none}"
    )
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{PAGE_CONFIG}<style>{style}</style></head><body><main>{markdown2html(filled)}</main></body></html>\n"
    )
    write_text(site / "index.html", page)


def _rows(site: Path, folder: str) -> str:
    """Return the rows of a table in Markdown: a notebook's title as two links, one for each view."""
    rows = []
    for path in sorted((site / "files" / folder).glob("*.ipynb")):
        first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        title = f"{path.name[:2]} {first.splitlines()[0].removeprefix('# ')}"
        # No two links with one name lead to two places: somebody may hear a list of links only.
        names = {"lab": title, "notebooks": f"{title}, plain"}
        links = [f"[{name}]({app}/index.html?path={folder}/{path.name})" for app, name in names.items()]
        rows.append(f"| {links[0]} | {links[1]} |")
    return "\n".join(rows)


def _write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=1, sort_keys=True) + "\n")


def _run(command: list[str], folder: Path, what: str) -> None:
    """Run a command in silence.

    Raises:
        BuildError: it failed; with its last line.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise BuildError(f"{what}: {said[-1] if said else 'no message'}")
