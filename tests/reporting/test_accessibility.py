"""The page under axe-core in Chromium: nothing serious or critical, light and dark, narrow and wide.

`make accessibility` installs axe-core by npm into `.axe`, and runs these tests. They are skipped where
Chromium or axe-core is missing.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lengthprobe.reporting.page import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
AXE = Path("node_modules", "axe-core", "axe.min.js")
ROOT = Path(__file__).parents[2]
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
DARK = "@media (prefers-color-scheme: dark)"
GRAVE = ("serious", "critical")
RUN = """
axe.run(document, {resultTypes: ["violations"]}).then(found => {
  const told = found.violations.map(one =>
    ({id: one.id, impact: one.impact, help: one.help, at: one.nodes.slice(0, 3).map(node => node.html)}));
  parent.postMessage({width: innerWidth, told}, "*");
});
"""
# A window is never as narrow as a phone, but a frame in the window can be.
FRAME = """<!doctype html><title>frame</title><iframe src="page.html" width="WIDTH" height="900"></iframe>
<script>addEventListener("message", told => {
  const found = document.createElement("pre");
  found.id = "found";
  found.textContent = JSON.stringify(told.data);
  document.body.replaceChildren(found);
});</script>
"""


@pytest.fixture(scope="module")
def browser():
    """The path of Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"needs a browser: none of {', '.join(BROWSERS)} is on the path")
    return found


@pytest.fixture(scope="module")
def axe():
    """The text of axe-core."""
    places = [Path(folder) / AXE for folder in (os.environ.get("AXE_FOLDER"), ROOT / ".axe") if folder]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        pytest.skip(f"needs axe-core, and {places[-1]} is missing: npm install --prefix .axe axe-core")
    return found.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pages(tmp_path_factory, report, claim, check, portrait, beside, changed):
    """The texts of two pages: a run of a single checkpoint, and a gate against a reference."""
    every = [
        claim(),
        claim("broken", check(verdict="broken", worst=["asked 3, wrote 5: 'a' → 'b'"]), language="it"),
        claim("undecided", about="mechanism", language=None, beside=[beside("raw_length_error")]),
        claim("error", about="mechanism", message="NaN in layer 3\n  fix: another step"),
        claim("skipped", checks=[], message="needs a base"),
    ]
    reference = {"name": "approved", "weights": "b" * 64, "lengths": [3, 4, 5], "commit": None}
    gate = report(*every, reference=reference, against_reference=changed, missing=["a.py::b"], collected=6)
    drawn = {"model": portrait(), "reference": portrait("approved")}
    made = {"one": (report(*every), {"model": portrait()}), "gate": (gate, drawn)}
    folder = tmp_path_factory.mktemp("pages")
    return {
        name: write_report(folder / name, *data).read_text(encoding="utf-8") for name, data in made.items()
    }


def violations(browser, text, axe, folder, width):
    """What axe-core finds in a page, in a window of a width."""
    # The page lets no script run, which the page's own tests check.
    scripts = f"<script>{axe}</script><script>{RUN}</script></body>"
    (folder / "page.html").write_text(POLICY.sub("", text).replace("</body>", scripts), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(FRAME.replace("WIDTH", str(width)), encoding="utf-8")
    command = [
        *(browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"),
        *("--window-size=1400,1000", "--virtual-time-budget=60000", "--dump-dom", frame.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["one", "gate"])
def test_nothing_serious_or_critical(name, scheme, width, browser, axe, pages, tmp_path):
    """A rule of WCAG that the page breaks is named, with the places."""
    assert pages[name].count(DARK) == 1
    text = pages[name].replace(DARK, "@media all") if scheme == "dark" else pages[name]

    found = violations(browser, text, axe, tmp_path, width)

    assert found["width"] == width
    assert [rule for rule in found["told"] if rule["impact"] in GRAVE] == []


def test_a_grave_fault_is_found(browser, axe, pages, tmp_path):
    """The test above can fail: here the text has nearly the colour of the paper."""
    text = pages["one"].replace("</style>", "p, td { color: #eee !important; }</style>")

    found = violations(browser, text, axe, tmp_path, 1280)

    assert "color-contrast" in [rule["id"] for rule in found["told"] if rule["impact"] in GRAVE]
