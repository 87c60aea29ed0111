"""Drive Chromium over its debugging pipe: what a page loads, logs and shows. Nothing beyond the standard library."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

BINARIES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
    "--disable-dev-shm-usage", "--mute-audio", "--remote-debugging-pipe",
)  # fmt: skip
# The browser reads commands on descriptor 3 and writes answers on 4; ours may have any number, these two included.
LAUNCH = """
import os, sys
from fcntl import F_DUPFD_CLOEXEC, fcntl
for target, source in enumerate([fcntl(int(number), F_DUPFD_CLOEXEC, 10) for number in sys.argv[1:3]], start=3):
    os.dup2(source, target)
os.execv(sys.argv[3], sys.argv[3:])
"""
SOFTWARE_WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


def find_chromium():
    """Path of an installed Chromium, or None."""
    return next((path for name in BINARIES if (path := shutil.which(name))), None)


class Chromium:
    """One browser with one page; leave the `with` block to end it."""

    def __init__(self, profile: Path, *flags: str) -> None:
        binary = find_chromium()
        if binary is None:
            raise FileNotFoundError(f"no browser found, looked for {', '.join(BINARIES)}")
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        launch = [sys.executable, "-c", LAUNCH, str(commands), str(answers), binary]
        self._process = subprocess.Popen(
            [*launch, *QUIET, *flags, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self._pending, self._number, self._session = b"", 0, None
        self.events: list[dict] = []
        try:
            self._attach()
        except BaseException:
            self._process.kill()
            self.close()
            raise

    def _attach(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        """End the browser, by force where it does not end when asked."""
        self._session = None
        try:
            self.call("Browser.close", seconds=10)
            self._process.wait(10)
        except (TimeoutError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def call(self, method, *, seconds=60, **parameters):
        """Send a command and return its result; what the browser reports meanwhile goes to `events`."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + seconds
        while True:
            answer = self._receive(until)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _receive(self, until):
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._read], [], [], max(0, until - time.monotonic()))
            chunk = os.read(self._read, 1 << 20) if ready else b""
            if not chunk:
                raise TimeoutError("the browser does not answer")
            self._pending += chunk
        message, _, self._pending = self._pending.partition(b"\0")
        return json.loads(message)

    def resize(self, width, height, *, scale=1, mobile=False, dark=False):
        """Give the page a size in CSS pixels, and a preference."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=mobile,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url, *, javascript=True):
        """Open a page and wait until it is loaded and drawn."""
        self.events.clear()
        self.call("Emulation.setScriptExecutionDisabled", value=not javascript)
        self.call("Page.navigate", url=url)
        for _ in range(600):
            if any(event.get("method") == "Page.loadEventFired" for event in self.events):
                return
            self.call("Runtime.evaluate", expression="1")
            time.sleep(0.05)
        raise TimeoutError(f"{url} does not load")

    def evaluate(self, expression):
        """Value of a JavaScript expression; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def wait_for(self, expression, *, seconds=20):
        """Wait until an expression is true; return whether it came to be."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.evaluate(expression):
                return True
            time.sleep(0.1)
        return False

    @property
    def complaints(self):
        """Everything the page logged as a warning or error, and every uncaught exception."""
        found = []
        for event in self.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method == "Log.entryAdded" and parameters["entry"]["level"] in {"warning", "error"}:
                found.append(parameters["entry"]["text"])
            elif method == "Runtime.consoleAPICalled" and parameters["type"] in {
                "warning",
                "error",
                "assert",
            }:
                found.append(str([value.get("value") for value in parameters["args"]]))
            elif method == "Runtime.exceptionThrown":
                found.append(str(parameters["exceptionDetails"]))
        return found

    @property
    def requests(self):
        """Every address that was asked for."""
        sent = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def screenshot(self, *, whole=False, clip=None):
        """PNG of what is visible, of the whole page, or of (x, y, width, height) in CSS pixels."""
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = (0, 0, size["width"], size["height"])
        area = {}
        if clip:
            area = {"clip": dict(zip(("x", "y", "width", "height"), clip, strict=True)) | {"scale": 1}}
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=bool(clip), **area)
        return base64.b64decode(picture["data"])

    def pdf(self):
        """The printed page."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])
