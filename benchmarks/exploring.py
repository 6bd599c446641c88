"""How soon the page shows its first picture, and how soon it answers a slider."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from statistics import median
from typing import Any

from benchmarks.plan import Plan
from numpy_lstm.explore.controls import View
from numpy_lstm.explore.views import views_of

COMMAND = [sys.executable, "-m", "numpy_lstm.explore", "--port", "0", "--no-browser"]
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Move a slider to a place, and tell how many ms later the picture is drawn.
MOVE = """
const [name, place, done] = arguments;
const slider = document.getElementById(`control-${name}`);
const begun = performance.now();
new MutationObserver((_, observer) => {
  observer.disconnect();
  done(performance.now() - begun);
}).observe(document.body, { attributes: true, attributeFilter: ["data-drawn"] });
slider.value = place;
slider.dispatchEvent(new Event("input"));
"""


def exploring(plan: Plan) -> dict[str, Any]:
    """Seconds from the command to the first answer and picture, and from each move of a slider.

    The pictures are drawn by headless Chromium, which runs already; without it, without Selenium,
    and in a quick run they are left out.
    """
    views = views_of(None)
    with nullcontext() if plan.quick else _browser() as browser:
        starts = [_start(browser) for _ in range(plan.rounds)]
        print("first answer and picture:", *starts[-1].values(), flush=True)
        with _server() as (address, port):
            moves = {}
            for view in views.values():
                if any(_slides(view)):
                    moves[view.name] = _moves(view, address, port, browser, plan.rounds)
                    print(view.name, {k: v["median"] for k, v in moves[view.name].items()})
    first = {name: [start[name] for start in starts] for name in starts[0]}
    return {
        "cases": [],
        "browser": browser.capabilities["browserVersion"] if browser else None,
        "first": {name: _described(seconds) for name, seconds in first.items()},
        "moves": moves,
    }


def _described(seconds: list[float]) -> dict[str, Any]:
    return {"seconds": seconds, "median": median(seconds), "longest": max(seconds)}


@contextmanager
def _browser() -> Iterator[Any]:
    try:
        from selenium import webdriver
    except ImportError:
        webdriver = None
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (webdriver and chromium and driver):
        yield None
        return
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in QUIET:
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as browser:
        browser.set_script_timeout(30)
        yield browser


@contextmanager
def _server() -> Iterator[tuple[str, int]]:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().split()[0]
        try:
            yield address, int(address.rpartition(":")[2].strip("/"))
        finally:
            process.terminate()


def _start(browser: Any) -> dict[str, float]:
    """From the command on, in a process of its own for each of the two."""
    seconds = {}
    begun = time.perf_counter()
    with _server() as (_, port):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/")
        connection.getresponse().read()
        _ask(connection, "starting-weights", {})
        seconds["answer"] = time.perf_counter() - begun
        connection.close()
    if browser:
        begun = time.perf_counter()
        with _server() as (address, _):
            browser.get("about:blank")
            browser.get(f"{address}#view=starting-weights&said=explodes")
            while not browser.execute_script("return document.body.dataset.drawn"):
                time.sleep(0.005)
            seconds["picture"] = time.perf_counter() - begun
    return seconds


def _moves(view: View, address: str, port: int, browser: Any, rounds: int) -> dict[str, Any]:
    """Every slider of a view to some of its places in turn, none of which was asked for before."""
    found: dict[str, list[float]] = {"answer": []}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    _ask(connection, view.name, {})
    if browser:
        found["picture"] = []
        said = next(iter(view.questions[0].options))
        browser.get("about:blank")
        browser.get(f"{address}#view={view.name}&said={said}")
        while not browser.execute_script("return document.body.dataset.drawn"):
            time.sleep(0.005)
    for control in _slides(view):
        places = range(0, len(control.values), max(len(control.values) // rounds, 1))
        for place in places:
            begun = time.perf_counter()
            _ask(connection, view.name, {control.name: control.values[place]})
            found["answer"].append(time.perf_counter() - begun)
            if browser:
                moved = browser.execute_async_script(MOVE, control.name, place)
                found["picture"].append(moved / 1000)
    connection.close()
    return {name: _described(seconds) for name, seconds in found.items()}


def _slides(view: View) -> Iterator[Any]:
    return (c for c in view.controls if c.kind == "slider" and not c.local)


def _ask(connection: http.client.HTTPConnection, view: str, setting: dict[str, Any]) -> None:
    body = json.dumps({"view": view, "setting": setting})
    connection.request("POST", "/ask", body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    text = reply.read()
    assert reply.status == 200, text
