"""Notebooks: read from text, run, made fit to be saved, compared and written.

Sources are MyST Markdown; what is committed beside them is built from them. Cell ids come from what is
in the cell, so the same source always gives the same notebook and an inserted cell moves no other id.
"""

import copy
import hashlib
import json
import os
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from sahel_teacher.errors import BuildError

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
TIMEOUT = 120  # seconds for one cell
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b", re.IGNORECASE)
ANSI = re.compile(r"\x1b\[[0-9;]*m")
IMAGE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]+")


def read_source(path: Path) -> NotebookNode:
    """Read a MyST Markdown file as a notebook with stable cell ids and the course's fixed metadata.

    The front matter is kept under `metadata.course`. Raises BuildError where the text cannot be read.
    """
    try:
        read = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md:myst")
    except Exception as error:  # jupytext passes on what its YAML and Markdown readers raise
        raise BuildError(f"{path.name} cannot be read as a MyST notebook: {error}") from error
    front = {key: value for key, value in read.metadata.items() if key not in ("jupytext", "kernelspec")}
    return new_notebook(read.cells, front)


def new_notebook(cells: list[NotebookNode], course: dict[str, Any]) -> NotebookNode:
    """Make a notebook of these cells: fixed metadata, `course` as front matter, stable ids, no outputs."""
    nb = nbformat.v4.new_notebook(cells=copy.deepcopy(cells))
    nb.nbformat_minor = 5
    # YAML reads 2023-07-26 as a date, which JSON does not know: through text and back.
    extra = {"course": course} if course else {}
    nb.metadata = nbformat.from_dict(json.loads(json.dumps(NOTEBOOK_METADATA | extra, default=str)))
    seen: Counter[str] = Counter()
    for cell in nb.cells:
        text = f"{cell.cell_type}\n{cell.source}"
        seen[text] += 1
        cell.id = hashlib.sha256(f"{seen[text]}\n{text}".encode()).hexdigest()[:12]
        cell.metadata = nbformat.from_dict(json.loads(json.dumps(cell.metadata, default=str)))
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nb


def execute(
    nb: NotebookNode, cwd: Path, name: str = "the notebook", extra_env: dict[str, str] | None = None
) -> NotebookNode:
    """Run every cell in a fresh kernel in `cwd` and return the notebook with its outputs.

    Answers go to a temporary folder, never to anyone's own. A cell tagged `raises-exception` may raise.
    Raises BuildError naming the notebook and the cell where one raises, takes too long or writes to stderr
    (a warning is a fault too: students must not meet one).
    """
    nb = copy.deepcopy(nb)
    client = NotebookClient(
        nb,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(cwd)}},
    )
    with tempfile.TemporaryDirectory() as responses:
        env = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
        try:
            client.execute(env=env | {"SAHEL_RESPONSES": responses} | (extra_env or {}))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise BuildError(f"{name}, {_where_stopped(nb)} {_why_stopped(error)}") from error
    for number, cell in enumerate(nb.cells, 1):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise BuildError(f"{name}, cell {number} writes to stderr: {_plain(output.text).strip()}")
    return nb


def clean(nb: NotebookNode, name: str = "the notebook") -> NotebookNode:
    """Return a copy fit to be saved: no live widgets, no timings, nothing that differs from run to run.

    Text, HTML and PNG stay. Raises BuildError naming the cell where what is left shows a memory address
    (a widget without a static twin, or an object without a plain repr).
    """
    nb = copy.deepcopy(nb)
    nb.metadata.pop("widgets", None)
    nb.metadata.language_info = nbformat.from_dict(NOTEBOOK_METADATA["language_info"])
    for number, cell in enumerate(nb.cells, 1):
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET_VIEW, None)
            if output.output_type == "error":  # frames inside installed packages hold paths of this machine
                output.traceback = [line for line in output.traceback if not _plain(line).startswith("File ")]
        cell.outputs = [output for output in cell.outputs if output.get("data", True)]
        for output in cell.outputs:
            shown = output.get("text", "") or output.get("data", {}).get("text/plain", "")
            if ADDRESS.search(shown):
                raise BuildError(
                    f"{name}, cell {number} shows a memory address, never twice the same: {shown}"
                )
    return nb


def same_source(a: NotebookNode, b: NotebookNode) -> bool:
    """Say whether two notebooks have the same cells, ids and metadata, whatever their outputs are."""
    return _without_outputs(a) == _without_outputs(b)


def write_if_changed(path: Path, nb: NotebookNode, check: bool = False) -> list[str]:
    """Write a notebook unless the file already holds it; return one line where it does not (else none).

    With `check` nothing is written, and only source, ids and metadata count. Without it, outputs count
    too, except the bytes of pictures, which differ between machines that draw the same.
    """
    try:
        old = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError):
        old = None
    if old is not None and same_source(old, nb) and (check or _outputs(old) == _outputs(nb)):
        return []
    if check:
        return [f"{path.parent.name}/{path.name} is not what its source gives: run course.py build"]
    write_text(path, nbformat.writes(nb) + "\n")
    return [f"{path.parent.name}/{path.name} written"]


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all, the same bytes on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(text, encoding="utf-8", newline="\n")
    draft.replace(path)


def _where_stopped(nb: NotebookNode) -> str:
    """Say at which cell the run ended: the last one that was started."""
    started = [n for n, cell in enumerate(nb.cells, 1) if cell.get("execution_count") or cell.get("outputs")]
    return f"cell {started[-1] if started else 1}"


def _why_stopped(error: Exception) -> str:
    if isinstance(error, CellExecutionError):
        return f"raises {error.ename}: {_plain(error.evalue)}"
    if isinstance(error, CellTimeoutError):
        return f"takes longer than {TIMEOUT} seconds"
    return "ends the kernel"


def _plain(text: str) -> str:
    return ANSI.sub("", text)


def _without_outputs(nb: NotebookNode) -> dict[str, Any]:
    bare = copy.deepcopy(dict(nb))
    for cell in bare["cells"]:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)
    return bare


def _outputs(nb: NotebookNode) -> str:
    """Return all outputs as text, pictures left out."""
    cells = [(cell.get("execution_count"), copy.deepcopy(cell.get("outputs", []))) for cell in nb.cells]
    for _, outputs in cells:
        for output in outputs:
            if "image/png" in output.get("data", {}):
                output["data"]["image/png"] = ""
    return IMAGE.sub("", json.dumps(cells, sort_keys=True))
