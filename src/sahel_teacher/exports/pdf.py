"""Print the reader to PDF with a browser that is on the computer: Chromium, Chrome or Edge, without a window."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

ON_PATH = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
ON_MAC = ("Google Chrome", "Chromium", "Microsoft Edge")
ON_WINDOWS = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
SECONDS = 600  # for one print; a slow machine takes a minute
PAGE = re.compile(rb"(\d+) 0 obj\s*<<\s*/Type /Page\b")
PLACE = re.compile(rb"/([a-z]+(?:-\d\d)?)\s*\[(\d+) 0 R /XYZ")


class NoPdf(Exception):
    """No browser was found, or it made no PDF; the message says which."""


def as_pdf(html: str) -> bytes:
    """Return a page as PDF: A4, tagged, with bookmarks, and with page numbers in its contents.

    A browser knows no page before it has printed it: so the page is printed, the places of its parts are read from
    that PDF, and it is printed again.

    Raises:
        NoPdf: there is no browser, or it makes no PDF.
    """
    program = next(browsers(), None)
    if program is None:
        raise NoPdf("no Chromium, Chrome or Edge was found")
    first = _printed(program, html)
    numbered = html
    for part, number in _pages(first).items():
        numbered = numbered.replace(
            f'<a href="#{part}"><span>', f'<a data-page="{number}" href="#{part}"><span>'
        )
    return first if numbered == html else _printed(program, numbered)


def browsers() -> Iterator[str]:
    """Yield the path of each browser of the Chromium family that is on this computer."""
    yield from filter(None, map(shutil.which, ON_PATH))
    places = [Path("/Applications") / f"{name}.app/Contents/MacOS/{name}" for name in ON_MAC]
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        if os.environ.get(variable):
            places += [Path(os.environ[variable]) / name for name in ON_WINDOWS]
    yield from (str(place) for place in places if place.is_file())


def _printed(program: str, html: str) -> bytes:
    """Return what the browser prints, from a profile of its own that is thrown away."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        page, made = folder / "reader.html", folder / "reader.pdf"
        page.write_text(html, encoding="utf-8")
        options = [
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--print-to-pdf={made}",
        ]
        options += ["--generate-pdf-document-outline", f"--user-data-dir={folder / 'profile'}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # As root, as in a container, it starts in no other way; the page is ours.
            options.append("--no-sandbox")
        try:
            subprocess.run(
                [program, *options, page.as_uri()], capture_output=True, timeout=SECONDS, check=False
            )
            return made.read_bytes()
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoPdf(f"{Path(program).name} made no PDF") from error


def _pages(pdf: bytes) -> dict[str, int]:
    """Return on which page each named part of a PDF begins; nothing where it cannot be read."""
    order = {number: place for place, number in enumerate(PAGE.findall(pdf), 1)}
    return {part.decode(): order[page] for part, page in PLACE.findall(pdf) if page in order}
