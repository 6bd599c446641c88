"""The page in a real browser, as served and from its file.

They need Chromium with its driver (Debian: chromium, chromium-driver) and Selenium, and are slow.
"""

import json
import re
import shutil
import threading
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from numpy_lstm.explore.controls import offered
from numpy_lstm.explore.page import unpack
from numpy_lstm.explore.server import Server
from numpy_lstm.explore.views import outcome, respond
from tests.explore.test_page import ANSWERS, COMMITTED, committed
from tests.explore.test_views import VIEWS

webdriver = pytest.importorskip("selenium.webdriver", reason="Selenium is not installed")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="no Chromium with its driver: chromium, chromium-driver"
    ),
]
SOURCES = ("served", "file")
DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
EACH = pytest.mark.parametrize("name", VIEWS)
QUIET = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync"
    " --disable-background-networking --disable-component-update"
    " --host-resolver-rules=MAP\t*\t~NOTFOUND,EXCLUDE\t127.0.0.1"  # nothing outside has a name
)


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in QUIET.split(" "):
        options.add_argument(argument.replace("\t", " "))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(DRIVER)
    with webdriver.Chrome(options=options, service=service) as driver:
        driver.set_window_size(1280, 900)
        yield driver


@pytest.fixture(scope="module")
def served():
    with Server(VIEWS, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.address
        server.shutdown()
        thread.join()


@pytest.fixture(params=SOURCES)
def address(request, served):
    return served if request.param == "served" else COMMITTED.as_uri()


@pytest.fixture(autouse=True)
def nothing_is_wrong_and_nothing_leaves(browser, served):
    """No error stands in the console, and every request was to this server, or to no machine."""
    yield
    assert browser.get_log("browser") == []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            assert url.startswith((served, "file:///", "data:", "about:", "blob:")), url


def find(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def text(browser, selector):
    return find(browser, selector).get_attribute("textContent")


def drawn(browser):
    return int(browser.execute_script("return document.body.dataset.drawn || 0"))


@contextmanager
def redrawn(browser):
    """Wait until what is done inside has been answered and drawn."""
    before = drawn(browser)
    yield
    WebDriverWait(browser, 20, 0.02).until(lambda _: drawn(browser) > before)


def open_view(browser, address, name, **more):
    browser.get("about:blank")
    words = "&".join(f"{key}={value}" for key, value in {"view": name, **more}.items())
    if "said" in more:
        browser.get(f"{address}#{words}")
        WebDriverWait(browser, 20, 0.02).until(lambda _: drawn(browser) > 0)
    else:
        browser.get(f"{address}#{words}")


def asked(view):
    return {c.name: c.default for c in view.controls if not c.local and c.kind != "text"}


def expected(address, name, setting):
    """The answer of the package, or of the file, which another processor may have written."""
    if address.startswith("http"):
        return json.loads(json.dumps(respond(VIEWS, {"view": name, "setting": setting})))
    controls = [c for c in VIEWS[name].controls if not c.local and c.kind != "text"]
    key = " ".join(str(offered(c).index(setting[c.name])) for c in controls)
    return in_the_file()[name]["answers"][key]


@cache
def in_the_file():
    return unpack(ANSWERS.findall(committed())[0])


def table_of(browser):
    return browser.execute_script(
        "return [...document.querySelectorAll('#numbers tbody tr')]"
        ".map((row) => [...row.children].map((cell) => cell.textContent))"
    )


def shows(browser, answer):
    """Whether the page shows this answer: its sentence, its table and its lines."""
    assert text(browser, "#seen") == answer["sentence"]
    assert table_of(browser) == [list(map(str, row)) for row in answer["table"]["rows"]]
    figures = browser.find_elements(By.CSS_SELECTOR, "#charts figure")
    assert len(figures) == len(answer["charts"])
    for figure, chart in zip(figures, answer["charts"], strict=True):
        assert figure.find_element(By.TAG_NAME, "h3").text == chart["title"]
        lines = [line for line in chart["lines"] if line.get("marks") != "only"]
        assert len(figure.find_elements(By.CSS_SELECTOR, "path.line")) == len(lines)


@EACH
def test_a_view_asks_before_it_shows_and_says_afterwards_what_was_seen(browser, address, name):
    view = VIEWS[name]
    open_view(browser, address, name)
    assert text(browser, "#question") == view.questions[0].text
    assert text(browser, "#seen") == "" and drawn(browser) == 0
    assert not find(browser, "#controls input, #controls select").is_enabled()
    assert not find(browser, "#charts").is_displayed()
    buttons = browser.find_elements(By.CSS_SELECTOR, "#options button")
    assert [button.text for button in buttons] == list(view.questions[0].options.values())
    with redrawn(browser):
        buttons[-1].click()
    found = outcome(view, 0)
    said = "As you said" if list(view.questions[0].options)[-1] == found["right"] else "Not so"
    assert text(browser, "#outcome").startswith(f"{said}: ")
    if address.startswith("http"):
        assert text(browser, "#outcome") == f"{said}: {found['measured']}"
    assert find(browser, "#options .right").get_attribute("data-option") == found["right"]
    assert find(browser, "#controls input, #controls select").is_enabled()
    shows(browser, expected(address, name, asked(view) | view.questions[0].setting))


@EACH
def test_every_control_changes_what_it_should(browser, address, name):
    view = VIEWS[name]
    open_view(browser, address, name, said=next(iter(view.questions[0].options)))
    setting = asked(view) | view.questions[0].setting
    for control in view.controls:
        if control.local or control.kind == "text":
            continue
        values = control.values if address.startswith("http") else offered(control)
        place = values.index(setting[control.name])
        element = find(browser, f"#control-{control.name}")
        forward = place + 1 < len(values)
        with redrawn(browser):
            if control.kind == "slider":
                element.send_keys(Keys.ARROW_RIGHT if forward else Keys.ARROW_LEFT)
            else:
                Select(element).select_by_index(place + (1 if forward else -1))
        setting[control.name] = values[place + (1 if forward else -1)]
        for other in view.controls:  # what has no effect now has its default
            if other.needs and other.kind != "text" and setting[other.needs[0]] != other.needs[1]:
                setting[other.name] = other.default
        if setting.get("example") == "own":
            continue
        answer = expected(address, name, setting)
        WebDriverWait(browser, 20, 0.02).until(
            lambda _, answer=answer: text(browser, "#seen") == answer["sentence"]
        )
        shows(browser, answer)
        assert f"{control.name}=" in browser.current_url
    with redrawn(browser):
        find(browser, "#reset").click()
    shows(browser, expected(address, name, asked(view) | view.questions[0].setting))


def test_a_line_of_the_step_is_lit_and_later_ones_have_no_values_yet(browser, address):
    open_view(browser, address, "one-step", said="most", line=8, cut="carousel")
    (at,) = browser.find_elements(By.CSS_SELECTOR, ".listing [aria-current=step]")
    assert at.text.startswith("–") and "tanh_c = np.tanh(c_t)" in at.text
    assert {
        e.get_attribute("data-names")
        for e in browser.find_elements(By.CSS_SELECTOR, ".cell .forward")
    }
    assert text(browser, "[data-value=c_t]") and not text(browser, "[data-value=h_t]")
    before = drawn(browser)
    for _ in range(9):
        find(browser, "#control-line").send_keys(Keys.ARROW_RIGHT)
    (at,) = browser.find_elements(By.CSS_SELECTOR, ".listing [aria-current=step]")
    assert at.text.startswith("(21)") and "0, cut; it was" in at.text
    said = find(browser, "#control-line").get_attribute("aria-valuetext")
    assert said.startswith("(21) dc_prev = dc_t * f_t: dc_prev = 0, cut; it was")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".cell .cut")) == 1
    assert drawn(browser) == before  # nobody was asked


def test_a_word_tells_its_norms_by_the_pointer_and_by_the_slider(browser, address):
    open_view(browser, address, "words", said="same")
    rows = browser.find_elements(By.CSS_SELECTOR, ".review")
    assert len(rows) == 2 and [row.text.split()[1] for row in rows] == 2 * ["wonderful"]
    find(browser, "#control-word").send_keys(Keys.ARROW_RIGHT)
    assert text(browser, ".details li").startswith("“wonderful”, word 2 of ")
    said = find(browser, "#control-word").get_attribute("aria-valuetext")
    assert said == text(browser, ".details li")
    find(browser, "#control-word").send_keys(Keys.END)
    assert text(browser, ".details li").startswith("“from”, word 74 of 74")
    assert "word=74" in browser.current_url
    with redrawn(browser):
        Select(find(browser, "#control-example")).select_by_index(1)
    assert text(browser, ".details li").startswith("“music”, word 18 of 18")
    assert "word=18" in browser.current_url
    with redrawn(browser):
        Select(find(browser, "#control-example")).select_by_index(0)
    word = browser.find_elements(By.CSS_SELECTOR, ".review .word")[4]
    webdriver.ActionChains(browser).move_to_element(word).perform()
    assert text(browser, ".details li").startswith("“best”, word 5 of ")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".word.at")) == 2


def test_own_text_is_read_here_and_shown_as_text(browser, served):
    open_view(browser, served, "words", said="same", example="own")
    assert text(browser, "#seen").endswith("type a review.")
    own = "Bad <img src=x onerror=alert(1)> film & <script>alert(2)</script> acting"
    with redrawn(browser):
        find(browser, "#control-text").send_keys(own)
    WebDriverWait(browser, 20, 0.02).until(lambda _: "acting" in text(browser, ".review"))
    assert not browser.find_elements(By.CSS_SELECTOR, "main img, main script")
    assert "text=" not in browser.current_url and "film" not in browser.current_url
    words = respond(VIEWS, {"view": "words", "setting": {"example": "own", "text": own}})["words"]
    shown = [w.text for w in browser.find_elements(By.CSS_SELECTOR, ".review:first-of-type .word")]
    assert shown == words["words"]


def test_the_address_holds_the_state_and_the_history_works(browser, address):
    open_view(browser, address, "starting-weights", question=2, said="rnn", lag=50, kind="uniform")
    chosen = asked(VIEWS["starting-weights"]) | {"lag": 50, "kind": "uniform"}
    shows(browser, expected(address, "starting-weights", chosen))
    assert text(browser, "#count").endswith("question 3 of 3")
    find(browser, "#views li:nth-child(5) a").click()
    assert text(browser, "#title") == "Lag and padding" and "said" not in browser.current_url
    assert browser.switch_to.active_element.get_attribute("id") == "title"
    browser.back()
    WebDriverWait(browser, 20, 0.02).until(lambda _: text(browser, "#seen") != "")
    shows(browser, expected(address, "starting-weights", chosen))
    browser.refresh()
    WebDriverWait(browser, 20, 0.02).until(lambda _: drawn(browser) > 0)
    shows(browser, expected(address, "starting-weights", chosen))
    browser.get("about:blank")
    browser.get(f"{address}#view=none&question=99&said=<b>&gain=<b>&lag")
    assert text(browser, "#title") == "The starting weights" and drawn(browser) == 0
    open_view(browser, address, "starting-weights", said="explodes")
    with redrawn(browser):
        browser.execute_script("document.getElementById('next').click()")
        assert text(browser, "#count").endswith("question 2 of 3")
        browser.back()
    assert text(browser, "#count").endswith("question 1 of 3")
    assert text(browser, "button.right").endswith("✓")
    for said in ("valueOf", "__proto__", "null"):
        browser.get("about:blank")
        browser.get(f"{address}#view=words&said={said}")
        assert drawn(browser) == 0 and "said" not in browser.current_url
    for gain in ("1e999", "", "-Infinity", "%E0%A4%A"):
        open_view(browser, address, "starting-weights", said="explodes", gain=gain)
        assert "gain" not in browser.current_url, gain


def test_the_pointer_reads_a_chart_off(browser, served):
    open_view(browser, served, "epochs", said="part")
    chart = find(browser, "figure > svg")
    webdriver.ActionChains(browser).move_to_element(chart).perform()
    assert re.search(r"^\d+:  RNN 10⁻\d*.*  LSTM 10", text(browser, ".reading").translate(DIGITS))
    webdriver.ActionChains(browser).move_to_element(find(browser, "h1")).perform()
    assert text(browser, ".reading") == ""


def test_a_view_is_left_and_found_again_as_it_was(browser, served):
    open_view(browser, served, "epochs", said="part")
    with redrawn(browser):
        find(browser, "#control-epoch").send_keys(Keys.HOME)
    find(browser, "#views li:nth-child(6) a").click()
    with redrawn(browser):
        find(browser, "#views li:nth-child(2) a").click()
    assert text(browser, "#seen").startswith("Before training, ")


def test_the_keyboard_is_enough(browser, served):
    open_view(browser, served, "epochs")
    body = browser.switch_to.active_element

    def press(*keys):
        webdriver.ActionChains(browser).send_keys(*keys).perform()
        return browser.switch_to.active_element

    for _ in range(7):  # six links, and the first option
        body = press(Keys.TAB)
    assert body.get_attribute("data-option") == "cured"
    with redrawn(browser):
        press(Keys.ENTER)
    while press(Keys.TAB).get_attribute("id") != "control-epoch":
        pass
    with redrawn(browser):
        press(Keys.HOME)
    assert text(browser, "#seen").startswith("Before training, ")
    while press(Keys.TAB).tag_name != "summary":
        pass
    press(Keys.ENTER)
    assert find(browser, "#numbers table").is_displayed()
    find(browser, "#next").send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("data-option") == "both"
    assert text(browser, "#seen") == ""


def test_a_line_is_drawn_where_its_numbers_are(browser, served):
    open_view(browser, served, "starting-weights", said="explodes")
    answer = expected(served, "starting-weights", asked(VIEWS["starting-weights"]) | {"gain": 1.5})
    chart = answer["charts"][0]
    path, grid = browser.execute_script(
        "const svg = document.querySelector('figure > svg');"
        "return [svg.querySelector('path.line.rnn').getAttribute('d'),"
        " [...svg.querySelectorAll('.grid')].map((line) => +line.getAttribute('y1'))]"
    )
    places = [tuple(map(float, part.split())) for part in re.findall(r"[ML]([\d. -]+)", path)]
    low, high = chart["y"]["ticks"][0], chart["y"]["ticks"][-1]
    for (_, y), value in zip(places, chart["lines"][0]["y"], strict=True):
        read = low + (high - low) * (y - grid[0]) / (grid[-1] - grid[0])
        assert read == pytest.approx(value, abs=0.02)


@EACH
def test_on_a_phone_nothing_stands_beside_the_page(browser, served, name):
    size = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        open_view(browser, served, name, said=next(iter(VIEWS[name].questions[0].options)))
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 320
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [320, 768, 1920])
def test_no_label_leaves_its_chart_or_covers_another(browser, served, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for name, lags in (
            ("starting-weights", (0, 5, 25, 50, 60, 75, 100)),
            ("lag-and-padding", (0, 25, 50, 100, 200, 400)),
            ("epochs", (0,)),
        ):
            said = next(iter(VIEWS[name].questions[0].options))
            for lag in lags:
                open_view(browser, served, name, said=said, lag=lag)
                assert browser.execute_script(COLLISIONS) == [], (name, lag)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


COLLISIONS = """
  const found = [];
  for (const svg of document.querySelectorAll("figure > svg")) {
    const around = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent);
    const boxes = texts.map((text) => text.getBoundingClientRect());
    boxes.forEach((a, j) => {
      const outside = a.left < around.left - 1 || a.right > around.right + 1;
      if (outside) found.push(texts[j].textContent);
      boxes.slice(j + 1).forEach((b, k) => {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > 4)
          found.push(`${texts[j].textContent} ${texts[j + 1 + k].textContent}`);
      });
    });
  }
  return found;
"""


@EACH
def test_everything_has_a_name_for_a_screen_reader(browser, served, name):
    open_view(browser, served, name, said=next(iter(VIEWS[name].questions[0].options)))
    find(browser, "summary").click()
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = {}
    for node in nodes:
        if not node.get("ignored"):
            roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value"))
    for role in (
        "slider",
        "combobox",
        "textbox",
        "button",
        "link",
        "region",
        "navigation",
        "image",
    ):
        assert all(roles.get(role, [])), role
    assert roles["heading"][0] == "How far does the gradient reach?"
    assert len(roles["link"]) == 6 and len(roles["status"]) == 2
    assert len(roles["image"]) >= len(browser.find_elements(By.CSS_SELECTOR, "figure"))
    assert roles["table"][0] or roles["table"][-1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dark_mode_is_the_readers_choice(browser, served, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        open_view(browser, served, "break-it")
        color = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        brightness = sum(map(int, re.findall(r"\d+", color)[:3]))
        assert (brightness > 600) == (scheme == "light")
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_without_motion_nothing_moves(browser, served):
    feature = {"name": "prefers-reduced-motion", "value": "reduce"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        open_view(browser, served, "epochs", said="part")
        moving = browser.execute_script(
            "return [...document.querySelectorAll('*')].filter((e) => {"
            " const s = getComputedStyle(e);"
            " return s.transitionDuration !== '0s' || s.animationName !== 'none' }).length"
        )
        assert moving == 0
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_server_that_has_gone_is_said(browser, served):
    open_view(browser, served, "epochs", said="part")
    gone = "fetch = () => Promise.reject(new TypeError('Failed to fetch'))"
    browser.execute_script(gone)
    find(browser, "#control-epoch").send_keys(Keys.HOME)
    WebDriverWait(browser, 20, 0.02).until(
        lambda _: "has the server been stopped" in text(browser, "#seen")
    )


def test_the_file_needs_no_server_on_a_folder_with_a_name_like_any(browser, tmp_path):
    folder = tmp_path / "my lecture, week 3"
    folder.mkdir()
    copy = Path(shutil.copy(COMMITTED, folder / "a page.html"))
    open_view(browser, copy.as_uri(), "words", said="same", example=1)
    assert "After epoch 6" in text(browser, "#seen")
