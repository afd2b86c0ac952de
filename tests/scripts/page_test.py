#!/usr/bin/env python3
"""The page of lpdm plot --html in headless Chromium: everything is there, and no console errors.

    page_test.py PROGRAM
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = Path(sys.argv.pop(1))
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    print("Missing chromium; install with tools/bootstrap.sh --ci.", file=sys.stderr)
    sys.exit(1 if os.environ.get("LPDM_REQUIRE_TEST_WHEELS") else 77)

CONFIG = '{"network": {"hidden": [12, 20]}, "run": {"iterations": 60, "threads": 1}}'


class PageTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def make_page(self):
        (self.folder / "c.json").write_text(CONFIG)
        page = self.folder / "page.html"
        for arguments in (["train", self.folder / "c.json", "--out", self.folder / "run"],
                          ["plot", self.folder / "run", "--html", "--out", page]):
            subprocess.run([PROGRAM, *arguments], check=True, capture_output=True)
        return page

    def open(self, page):
        """(what the page has become, what it said on the console)"""
        done = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", f"--user-data-dir={self.folder / 'profile'}",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
             "--virtual-time-budget=5000", "--dump-dom", page.as_uri()],
            capture_output=True, text=True, timeout=120, check=True)
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    def test_the_page_says_nothing_on_the_console(self):
        page = self.make_page()
        shown, console = self.open(page)
        self.assertEqual(console, [])
        self.assertEqual(shown.count("<svg"), 3)  # curves, diagnostics, performance profile
        self.assertEqual(shown.count("<img"), 1)
        for heading in ("Learning curves", "Scores", "Runs", "Configs"):
            self.assertIn(f"<h2>{heading}</h2>", shown)

    def test_nothing_is_fetched(self):
        text = self.make_page().read_text()
        self.assertEqual(re.findall(r"<script|<iframe|@import", text), [])
        places = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')\s>]*)", text)
        self.assertTrue(places)
        self.assertEqual([place for place in places if not place.startswith(("#", "data:"))], [])

    def test_an_error_would_be_noticed(self):
        page = self.folder / "bad.html"
        page.write_text("<body><img src='missing.png'><script>nothing.at.all()</script></body>")
        _, console = self.open(page)
        self.assertTrue(any("nothing is not defined" in line for line in console), console)


if __name__ == "__main__":
    unittest.main()
