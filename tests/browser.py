"""A real browser without a window, where there is one."""

import contextlib
import importlib.util
import shutil
from pathlib import Path

# A container has no sandbox of its own kind, and nothing may be asked of the network.
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def missing():
    """Return why there is no browser, or None if there is one."""
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed: pip install playwright"
    if _executable() is None:
        return f"no browser: install Chromium ({', '.join(_NAMES)} were looked for)"
    return None


@contextlib.contextmanager
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_executable(), args=list(_ARGUMENTS))
        try:
            yield opened
        finally:
            opened.close()


def _executable():
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            own = playwright.chromium.executable_path
        found = own if Path(own).exists() else None
    return found
