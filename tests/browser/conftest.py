"""Chromium without access to the internet."""

import shutil
import subprocess

import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",  # lets scripts finish before the page is dumped
]


@pytest.fixture(scope="session")
def browse(tmp_path_factory):
    """Returns a function that opens a URL in Chromium and returns its output and log."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("Chromium is not installed: apt-get install chromium")

    def browse(url, *flags):
        command = [chromium, *FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}", *flags, url]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return browse
