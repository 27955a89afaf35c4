"""A real JupyterLab and a real Chromium, for the tests in this folder."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from sahel_teacher.exports.pdf import browsers

HERE = Path(__file__).parent
CHROMIUM = next(browsers(), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
FLAGS += ["--disable-sync", "--disable-component-update"]
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


def pytest_collection_modifyitems(items):
    """Skip what needs a browser where there is none, and say so."""
    if CHROMIUM is None:
        skip = pytest.mark.skip(reason="no Chromium on this computer: not tried in a browser")
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(skip)


@contextlib.contextmanager
def running_lab(root, work, **environment):
    """Serve a folder in a JupyterLab on this computer only, with settings of its own; yields its address."""
    settings = root / "settings" / "@jupyterlab"
    for extension, name, content in (
        ("apputils-extension", "notification", NO_NEWS),
        # All cells in the page at once: else what is off screen is not there to be looked at.
        ("notebook-extension", "tracker", {"windowingMode": "none"}),
    ):
        (settings / extension).mkdir(parents=True)
        path = settings / extension / f"{name}.jupyterlab-settings"
        path.write_text(json.dumps(content), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={work}", f"--LabApp.user_settings_dir={root / 'settings'}"]
    command += [f"--LabApp.workspaces_dir={root / 'workspaces'}", "--LabApp.expose_app_in_browser=True"]
    own = {
        name: str(root / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    own |= {"SAHEL_RESPONSES": str(root / "responses")} | environment
    with (root / "lab.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/api", root / "lab.log")
        yield f"http://127.0.0.1:{port}/lab/tree"
    finally:
        server.terminate()
        server.wait(20)


def wait_for(address, log):
    """Wait until a server answers; fail with the end of its log if it does not."""
    for _ in range(240):
        try:
            return urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            time.sleep(0.25)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def run_all_cells(page):
    """Run all cells once the kernel listens: before that the menu entry does nothing, and says nothing."""
    page.locator(".jp-StatusBar-Widget", has_text="| Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
