"""Chromium driven through its DevTools protocol: real input, and everything that a page logs and requests."""

import base64
import json
import os
import queue
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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
]
_TIMEOUT_S = 30
_KEY_CODES = {"ArrowLeft": 37, "ArrowRight": 39, "PageUp": 33, "PageDown": 34, "Enter": 13, "Escape": 27}


def executable() -> str | None:
    """The path of Chromium, if it is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Chromium:
    """One browser, which speaks the protocol through a pair of pipes."""

    def __init__(self, commands: int, events: int) -> None:
        self._commands = commands
        self._replies: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._pages: dict[str, BrowserPage] = {}
        self._last_id = 0
        threading.Thread(target=self._read, args=[events], daemon=True).start()

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send a command, and return its result."""
        self._last_id += 1
        replies = self._replies[self._last_id] = queue.Queue()
        command = {"id": self._last_id, "method": method, "params": params, **({"sessionId": session} if session else {})}
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        reply = replies.get(timeout=_TIMEOUT_S)
        assert "error" not in reply, f"{method}: {reply['error']}"
        result: dict[str, Any] = reply["result"]
        return result

    def page(self, url: str, width: int = 1280, height: int = 800, *, dark: bool = False, phone: bool = False) -> "BrowserPage":
        """A new tab at a URL."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = BrowserPage(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        page.call("Page.navigate", url=url)
        page.wait_for("location.href !== 'about:blank' && document.readyState === 'complete'")
        return page

    def close_pages(self) -> None:
        """Close all tabs: a browser has few connections to a server, and live pages keep one each."""
        for page in self._pages.values():
            page.call("Page.close")
        self._pages.clear()

    def _read(self, events: int) -> None:
        rest = b""
        while part := os.read(events, 1 << 20):
            *messages, rest = (rest + part).split(b"\0")
            for text in messages:
                message = json.loads(text)
                if "id" in message:
                    self._replies.pop(message["id"]).put(message)
                elif page := self._pages.get(message.get("sessionId", "")):
                    page.receive(message["method"], message["params"])


class BrowserPage:
    """A tab. `console` has the console's messages, uncaught errors and violations of the policy; `hosts` those of all requests."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser, self._session = browser, session
        self.console: list[str] = []
        self.hosts: set[str] = set()

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of this tab."""
        return self._browser.call(method, self._session, **params)

    def receive(self, method: str, params: dict[str, Any]) -> None:
        """Note an event of the protocol."""
        match method:
            case "Runtime.consoleAPICalled":
                self.console.append(" ".join(str(each.get("value", each.get("description"))) for each in params["args"]))
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.console.append(details.get("exception", {}).get("description", details["text"]))
            case "Log.entryAdded":
                self.console.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.hosts.add(urlsplit(params["request"]["url"]).netloc)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, or of its promise."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until an expression is true; an element is, and so is a text."""
        deadline = time.monotonic() + _TIMEOUT_S
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < deadline, f"{expression} stays false; console: {self.console}; {self.text('#messages')}"
            time.sleep(0.05)

    def text(self, selector: str) -> str:
        """The text of the first element that matches, or nothing."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"))

    def click(self, selector: str) -> None:
        """Click the middle of an element."""
        box = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        x, y = self.evaluate(f"(() => {{ const b = {box}; return [b.x + b.width / 2, b.y + b.height / 2] }})()")
        self.click_at(x, y)

    def click_at(self, x: float, y: float) -> None:
        """Move the mouse to a point, and click."""
        self.move_to(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def move_to(self, x: float, y: float) -> None:
        """Move the mouse to a point."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key: str) -> None:
        """Press and release a key."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        code = {"windowsVirtualKeyCode": _KEY_CODES[key]} if key in _KEY_CODES else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text, **code)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **code)

    def type(self, text: str) -> None:
        """Enter text into the focused element."""
        self.call("Input.insertText", text=text)

    def drop(self, path: Path) -> None:
        """Drag a file from outside over the page, and drop it."""
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=300, y=300, data=data)

    def screenshot(self, path: Path) -> None:
        """Write a PNG of what is visible."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def chromium(profile: Path) -> Iterator[Chromium]:
    """A browser with an empty profile in a folder, until the block ends."""
    (its_commands, commands), (events, its_events) = os.pipe(), os.pipe()
    words = [executable() or "chromium", *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-pipe"]
    script = f"exec {shlex.join(words)} 3<&{its_commands} 4>&{its_events}"
    with subprocess.Popen(
        ["bash", "-c", script], pass_fds=[its_commands, its_events], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        os.close(its_commands)
        os.close(its_events)
        browser = Chromium(commands, events)
        try:
            yield browser
        finally:
            browser.call("Browser.close")
            process.wait(_TIMEOUT_S)
            os.close(commands)
