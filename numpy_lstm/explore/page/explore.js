/* This file asks and draws, and computes no result: every number on the page comes from the Python
 * package, either from the server that has sent the page, or packed into the page itself.
 *
 * The course of things: readAddress() sets the state; showView() builds a view and asks its question;
 * predict() notes the prediction, and refresh() asks for the answer and draws it; every move of a
 * control is another refresh().
 */

const about = JSON.parse(byId("about").textContent);
const visited = new Map(); // the address at which each view was left
const state = { view: about.views[0], question: 0, said: null, settings: {} };
let answersInPage = null; // a promise of them, once they are asked for
let shown = null; // the answer that is on the page, to be drawn again at another width
let timer = 0; // of a text that is being typed

/* ---- Small helpers -------------------------------------------------------------------------- */

function byId(id) {
  return document.getElementById(id);
}

/** An element with attributes and contents. Texts stay texts: nothing is read as HTML. */
function element(name, attributes = {}, ...contents) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...contents);
  return made;
}

/** The same of SVG. */
function shape(name, attributes = {}, ...contents) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...contents);
  return made;
}

/* ---- Answers: from the server, or from the page itself --------------------------------------- */

/** Ask about a view; `what` is {question: k} or {setting: {…}}. */
function ask(what) {
  return about.live ? askServer(what) : askPage(what);
}

async function askServer(what) {
  const reply = await fetch("/ask", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ view: state.view.name, ...what }),
  });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.error);
  return answer;
}

async function askPage(what) {
  answersInPage = answersInPage || unpackAnswers();
  const view = (await answersInPage)[state.view.name];
  if ("question" in what) return view.outcomes[what.question];
  const key = state.view.controls
    .filter((control) => !control.local)
    .map((control) => control.values.indexOf(what.setting[control.name]))
    .join(" ");
  return view.answers[key];
}

/** The answers of a page in one file: JSON, packed by gzip, as letters. */
async function unpackAnswers() {
  const letters = atob(byId("answers").textContent.replace(/\s/g, ""));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/* ---- The address holds the state -------------------------------------------------------------- */

/** "#view=starting-weights&question=0&said=explodes&gain=1.5": only what is not as the question has it. */
function writeAddress() {
  const words = new URLSearchParams({ view: state.view.name, question: state.question });
  if (state.said) words.set("said", state.said);
  const asked = settingsOf(state.question);
  for (const { name, kind } of state.view.controls) {
    if (kind !== "text" && state.settings[name] !== asked[name]) words.set(name, state.settings[name]);
  }
  visited.set(state.view.name, `#${words}`);
  history.replaceState(null, "", `#${words}`);
}

function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  state.view = about.views.find((view) => view.name === words.get("view")) || about.views[0];
  const { questions, controls } = state.view;
  state.question = Number(words.get("question")) in questions ? Number(words.get("question")) : 0;
  const said = words.get("said");
  // Not `in`, by which "valueOf" too would be an option.
  state.said = Object.hasOwn(questions[state.question].options, said) ? said : null;
  state.settings = settingsOf(state.question);
  for (const control of controls) {
    const asked = state.settings[control.name];
    if (words.has(control.name))
      state.settings[control.name] = valueNear(control, words.get(control.name), asked);
  }
}

/** The settings with which a question is answered. */
function settingsOf(question) {
  const defaults = state.view.controls.map((control) => [control.name, control.default]);
  const chosen = Object.entries(state.view.questions[question].setting);
  const known = chosen.map(([name, value]) => {
    const control = state.view.controls.find((each) => each.name === name);
    return control ? [name, valueNear(control, String(value), control.default)] : [name, value];
  });
  return Object.fromEntries([...defaults, ...known]);
}

/** The value that is written so; or the nearest, as a page in one file has fewer; or `otherwise`. */
function valueNear(control, written, otherwise) {
  const same = control.values.find((value) => String(value) === written);
  const wanted = parseFloat(written);
  if (same !== undefined || control.kind !== "slider" || !Number.isFinite(wanted)) return same ?? otherwise;
  const away = (value) => Math.abs(value - wanted);
  return control.values.reduce((best, value) => (away(value) < away(best) ? value : best));
}

/* ---- A view and its question ------------------------------------------------------------------ */

function showView() {
  const { view } = state;
  document.title = `${view.title} – How far does the gradient reach?`;
  byId("source").textContent = about.live
    ? `Every number is computed as you ask, by numpy_lstm ${about.version} on this machine.`
    : `Every number was computed by numpy_lstm ${about.version}. With “python -m numpy_lstm.explore” the sliders are finer.`;
  byId("views").replaceChildren(...about.views.map(linkTo));
  byId("title").textContent = view.title;
  byId("lead").textContent = view.lead;
  byId("numbers").open = false;
  drawControls();
  showQuestion();
}

function linkTo(view) {
  const link = element("a", { href: visited.get(view.name) || `#view=${view.name}` }, view.title);
  if (view === state.view) link.setAttribute("aria-current", "page");
  return element("li", {}, link);
}

/** Ask for a prediction. Until there is one, nothing can be moved and nothing is shown. */
function showQuestion() {
  const { questions } = state.view;
  const { text, options } = questions[state.question];
  byId("count").textContent = `Predict first: question ${state.question + 1} of ${questions.length}`;
  byId("question").textContent = text;
  byId("options").replaceChildren(...Object.entries(options).map(([name, said]) => option(name, said)));
  byId("outcome").textContent = "";
  byId("seen").textContent = "";
  byId("next").hidden = true;
  byId("reset").hidden = true;
  byId("controls").disabled = true;
  byId("picture").className = "waiting";
  shown = null;
  writeAddress();
  if (state.said) predict(state.said);
}

function option(name, text) {
  const button = element("button", { type: "button", "data-option": name, "aria-pressed": "false" }, text);
  button.addEventListener("click", () => {
    if (!state.said) predict(name); // one prediction a question
  });
  return button;
}

/** Take the prediction, and show what was measured, the controls, and the picture. */
async function predict(name) {
  const { view, question } = state;
  state.said = name;
  writeAddress();
  for (const button of byId("options").children) {
    button.setAttribute("aria-disabled", "true"); // and not disabled: it keeps the focus
    button.setAttribute("aria-pressed", String(button.dataset.option === name));
  }
  try {
    const { right, measured } = await ask({ question });
    if (view !== state.view || question !== state.question) return; // another one is asked by now
    const rightOne = byId("options").querySelector(`[data-option="${right}"]`);
    rightOne.classList.add("right");
    rightOne.append(" ✓");
    byId("outcome").textContent = `${name === right ? "As you said" : "Not so"}: ${measured}`;
  } catch (error) {
    sayProblem(error);
    return;
  }
  byId("next").hidden = question + 1 >= view.questions.length;
  byId("reset").hidden = false;
  byId("controls").disabled = false;
  byId("picture").className = "";
  refresh();
}

function nextQuestion() {
  history.pushState(null, "", location.hash); // so that Back leads to this question again
  state.question += 1;
  state.said = null;
  asInTheQuestion();
  showQuestion();
  byId("options").firstChild.focus();
}

function asInTheQuestion() {
  state.settings = settingsOf(state.question);
  drawControls();
}

/* ---- Controls --------------------------------------------------------------------------------- */

function drawControls() {
  byId("controls").replaceChildren(byId("controls").firstElementChild, ...state.view.controls.map(controlOf));
  disableMoot();
}

function controlOf(control) {
  const id = `control-${control.name}`;
  // A screen reader hears the slider's own value.
  const output = element("span", { class: "value", "aria-hidden": "true" });
  const input = { slider: sliderOf, choice: choiceOf, text: textOf }[control.kind](control, output);
  input.id = id;
  const label = element("label", { for: id }, control.label);
  return element("div", { class: "control" }, label, output, input);
}

/** A slider moves over the places of the values, whatever these are. */
function sliderOf(control, output) {
  const place = control.values.indexOf(state.settings[control.name]);
  const input = element("input", {
    type: "range",
    min: 0,
    max: control.values.length - 1,
    step: 1,
    value: place,
  });
  const say = () => {
    output.textContent = control.texts[input.value];
    input.setAttribute("aria-valuetext", control.texts[input.value]);
  };
  input.addEventListener("input", () => {
    say();
    set(control, control.values[input.value]);
  });
  say();
  return input;
}

function choiceOf(control) {
  const options = control.texts.map((text, place) => element("option", { value: place }, text));
  const select = element("select", {}, ...options);
  select.value = control.values.indexOf(state.settings[control.name]);
  select.addEventListener("change", () => set(control, control.values[select.value]));
  return select;
}

function textOf(control) {
  const area = element("textarea", { rows: 4, maxlength: control.longest, spellcheck: "false" });
  area.value = state.settings[control.name];
  area.addEventListener("input", () => {
    clearTimeout(timer); // not after each letter
    timer = setTimeout(() => set(control, area.value), 250);
  });
  return area;
}

function set(control, value) {
  state.settings[control.name] = value;
  disableMoot();
  writeAddress();
  if (control.local && shown) drawPicture();
  else refresh();
}

/** A control without effect at the present settings cannot be moved. */
function disableMoot() {
  for (const control of state.view.controls.filter((each) => each.needs)) {
    const input = byId(`control-${control.name}`);
    input.disabled = isMoot(control);
    input.parentNode.hidden = control.kind === "text" && input.disabled;
  }
}

function isMoot({ needs }) {
  return Boolean(needs) && state.settings[needs[0]] !== needs[1];
}

/* ---- Asking and drawing ----------------------------------------------------------------------- */

let wanted = false;
let busy = false;

/** Ask for the answer at the present settings and draw it. While one is on its way, none but the
 * newest waits, so that a slider that is dragged asks no more often than is answered. */
async function refresh() {
  wanted = true;
  if (busy) return;
  busy = true;
  try {
    while (wanted) {
      wanted = false;
      const { view } = state;
      const answer = await ask({ setting: settingToAsk() });
      if (view !== state.view || !state.said) continue; // left in the meantime
      shown = answer;
      drawAnswer();
    }
  } catch (error) {
    sayProblem(error);
  } finally {
    busy = false;
  }
}

function settingToAsk() {
  const asked = state.view.controls.filter((control) => !control.local);
  return Object.fromEntries(
    asked.map((control) => [control.name, isMoot(control) ? control.default : state.settings[control.name]]),
  );
}

function sayProblem(error) {
  const gone = error instanceof TypeError && about.live; // what fetch() throws
  byId("picture").className = "";
  byId("seen").className = "problem";
  byId("seen").textContent = gone
    ? "There is no answer: has the server been stopped? Start it again, and load the page anew."
    : error.message;
}

function drawAnswer() {
  if (shown.words) limitPlaces("word", shown.words.words.length);
  drawPicture();
  byId("numbers").querySelector(".scroll").replaceChildren(tableOf(shown.table));
  byId("seen").className = "";
  byId("seen").textContent = shown.sentence;
  // For those who wait for it: the tests and the benchmark.
  document.body.dataset.drawn = Number(document.body.dataset.drawn || 0) + 1;
}

function drawPicture() {
  drawSpecial();
  drawCharts(shown.charts);
}

/** What a view shows besides charts: the lines of a step, colored words, a table that stands open. */
function drawSpecial() {
  const parts = [];
  if (shown.lines) parts.push(...stepOf(shown.lines));
  if (shown.words) parts.push(...wordsOf(shown.words));
  if (shown.open)
    parts.push(
      element(
        "div",
        { class: "scroll open", role: "region", tabindex: "0", "aria-label": shown.open.caption },
        tableOf(shown.open),
      ),
    );
  byId("special").replaceChildren(...parts);
  const row = byId("special").querySelector("[aria-current=step]");
  if (row) row.closest(".scroll").scrollTop = row.offsetTop - row.closest(".scroll").clientHeight / 2;
}

function tableOf({ caption, columns, rows }) {
  const head = element("tr", {}, ...columns.map((column) => element("th", { scope: "col" }, column)));
  const body = rows.map(([first, ...rest]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, String(first)),
      ...rest.map((cell) => element("td", {}, String(cell))),
    ),
  );
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, head),
    element("tbody", {}, ...body),
  );
}

/* ---- One step, line by line ------------------------------------------------------------------- */

/** The cell's drawing, and the lines of source with what they have assigned, up to the one chosen. */
function stepOf(lines) {
  const at = Math.min(state.settings.line, lines.length - 1);
  const rows = lines.flatMap((line, k) => {
    const begins = k === 0 || lines[k - 1].direction !== line.direction;
    return begins ? [headOf(line), rowOf(line, k, at)] : [rowOf(line, k, at)];
  });
  const head = ["eq.", "line", "of cells.py", "value"].map((name) => element("th", { scope: "col" }, name));
  const listing = element(
    "table",
    { class: "listing" },
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...rows),
  );
  const drawing = element(
    "div",
    { class: "cell-box", role: "region", tabindex: "0", "aria-label": "The cell" },
    cellAt(lines, at),
  );
  const region = {
    class: "scroll listed",
    role: "region",
    tabindex: "0",
    "aria-label": "The lines of cells.py",
  };
  const { source, equation } = lines[at];
  const assigned = rows.find((row) => row.ariaCurrent).lastChild.textContent;
  sayPlace("line", `${equation ? `(${equation}) ` : ""}${source}${assigned ? `: ${assigned}` : ""}`);
  return [drawing, element("div", region, listing)];
}

function headOf(line) {
  const name = line.direction === "forward" ? "lstm_step" : "lstm_step_backward";
  return element("tr", { class: "head" }, element("th", { colspan: 4, scope: "rowgroup" }, name));
}

function rowOf(line, k, at) {
  const place = k === at ? "at" : k > at ? "later" : "";
  const values =
    k > at
      ? ""
      : Object.entries(line.values)
          .map(([name, value]) => `${name} = ${value}`)
          .join("; ");
  const row = element(
    "tr",
    { class: `${line.direction} ${place} ${line.cut ? "cut" : ""}` },
    element("th", { class: "eq", scope: "row" }, line.equation ? `(${line.equation})` : "–"),
    element("td", { class: "place" }, String(line.place)),
    element("td", {}, element("code", { title: line.comment }, line.source)),
    element("td", { class: "value" }, values),
  );
  if (k === at) row.setAttribute("aria-current", "step");
  return row;
}

/** The drawing: what the chosen line has assigned is lit, and all values up to it stand there. */
function cellAt(lines, at) {
  const cell = byId("cell").content.firstElementChild.cloneNode(true);
  for (const part of cell.querySelectorAll("[data-names]")) {
    const names = part.dataset.names.split(" ");
    if (lines[at].names.some((name) => names.includes(name))) part.classList.add(lines[at].direction);
  }
  for (const line of lines.slice(0, at + 1)) {
    for (const [name, value] of Object.entries(line.values)) {
      const place = cell.querySelector(`[data-value="${name}"]`);
      if (place) place.textContent = line.cut ? "0" : value;
    }
  }
  for (const line of lines.filter((each) => each.cut)) {
    cell.querySelector(`[data-cut="${line.equation}"]`).classList.add("cut");
  }
  return cell;
}

/* ---- A review's words ------------------------------------------------------------------------- */

/** A row of colored words for each model, and below them what there is to know of the chosen word. */
function wordsOf({ words, rows, unknown, details }) {
  const at = Math.min(state.settings.word, words.length) - 1;
  const colored = rows.flatMap((row) => [
    element("h3", {}, `${row.name}: ${row.verdict}`),
    element(
      "p",
      { class: "review" },
      ...words.flatMap((word, k) => [wordOf(word, k, row, unknown, at), " "]),
    ),
  ]);
  sayPlace("word", details[at][0]);
  const known = element("ul", { class: "details" }, ...details[at].map((line) => element("li", {}, line)));
  return [...colored, known];
}

function wordOf(word, k, row, unknown, at) {
  const share = row.shares[k] || 0;
  const role = row.signed ? (share > 0 ? "towards" : "against") : row.role;
  const kinds = ["word", role, unknown.includes(k) ? "unknown" : "", k === at ? "at" : ""];
  const span = element("span", { class: kinds.join(" ") }, word);
  span.style.setProperty("--share", `${Math.round(48 * Math.abs(share))}%`);
  span.addEventListener("pointerenter", () => {
    if (k !== at) choosePlace("word", k);
  });
  return span;
}

/** What a screen reader says of a local slider's place. */
function sayPlace(name, text) {
  byId(`control-${name}`).setAttribute("aria-valuetext", text);
}

/** End a local slider where what it goes through ends. */
function limitPlaces(name, count) {
  const input = byId(`control-${name}`);
  const beyond = Number(input.value) >= count;
  input.max = count - 1;
  if (beyond) choosePlace(name, count - 1);
}

/** Move a local slider from elsewhere on the page. */
function choosePlace(name, place) {
  const input = byId(`control-${name}`);
  input.value = place;
  input.dispatchEvent(new Event("input"));
}

/* ---- Charts ----------------------------------------------------------------------------------- */

function drawCharts(charts) {
  const box = byId("charts");
  const figures = charts.map((chart) =>
    element(
      "figure",
      { class: chart.wide ? "wide" : "" },
      captionOf(chart),
      element("p", { class: "reading", "aria-hidden": "true" }),
    ),
  );
  box.replaceChildren(...figures);
  // A figure's width is known once it stands there.
  figures.forEach((figure, k) => {
    figure.insertBefore(drawingOf(charts[k], figure), figure.lastChild);
  });
}

function captionOf(chart) {
  const entries = chart.lines.map((line) => {
    const stroke = shape("line", { x1: 0, x2: 32, y1: 6, y2: 6, class: `line ${line.role}` });
    const sample = line.marks === "only" ? pointOf(line, 16, 6) : stroke;
    return element(
      "li",
      {},
      shape("svg", { viewBox: "0 0 32 12", "aria-hidden": "true" }, sample),
      line.name,
    );
  });
  return element(
    "figcaption",
    {},
    element("h3", {}, chart.title),
    element("ul", { class: "legend" }, ...entries),
  );
}

/** A chart as SVG. The coordinates of the data are those of the axes: only places are worked out. */
function drawingOf(chart, figure) {
  const letter = parseFloat(getComputedStyle(figure).fontSize);
  const width = Math.max(figure.clientWidth, 200);
  const height = Math.max(
    letter * 13,
    Math.min(width * (chart.wide ? 0.5 : 0.7), letter * (chart.flat ? 13 : 20)),
  );
  const edge = { left: letter * 3.4, right: letter * 0.8, top: letter * 1.5, bottom: letter * 2.7 };
  const along = (axis, from, to) => (value) =>
    from + ((to - from) * (value - axis.low)) / (axis.high - axis.low);
  const x = along(chart.x, edge.left, width - edge.right);
  const y = along(chart.y, height - edge.bottom, edge.top);
  const [right, bottom] = [width - edge.right, height - edge.bottom];

  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
  svg.setAttribute(
    "aria-label",
    `${chart.title}: ${chart.lines.map((line) => line.name).join(", ")}. The table below has its numbers.`,
  );
  svg.append(shape("text", { x: 0, y: letter * 0.8 }, chart.y.label));
  chart.y.ticks.forEach((tick, k) => {
    svg.append(shape("line", { class: "grid", x1: edge.left, x2: right, y1: y(tick), y2: y(tick) }));
    svg.append(
      shape(
        "text",
        { x: edge.left - letter * 0.4, y: y(tick) + letter * 0.28, "text-anchor": "end" },
        chart.y.labels[k],
      ),
    );
  });
  chart.x.ticks.forEach((tick, k) => {
    svg.append(
      shape("text", { x: x(tick), y: bottom + letter * 1.2, "text-anchor": "middle" }, chart.x.labels[k]),
    );
  });
  svg.append(
    shape(
      "text",
      { x: (edge.left + right) / 2, y: height - letter * 0.3, "text-anchor": "middle" },
      chart.x.label,
    ),
  );
  const followed = chart.follows ? [{ x: state.settings[chart.follows], label: "" }] : [];
  for (const mark of [...(chart.marks || []), ...followed]) {
    svg.append(shape("line", { class: "mark", x1: x(mark.x), x2: x(mark.x), y1: edge.top, y2: bottom }));
    const late = x(mark.x) > (edge.left + right) / 2; // the label stands where there is more room
    const at = {
      x: x(mark.x) + (late ? -4 : 4),
      y: edge.top + letter * 0.8,
      "text-anchor": late ? "end" : "start",
    };
    svg.append(shape("text", at, mark.label));
  }

  // Lines that leave the axes are cut off at them, by a nested SVG that is as large.
  const inner = shape("svg", {
    x: edge.left,
    y: edge.top,
    width: right - edge.left,
    height: bottom - edge.top,
  });
  inner.setAttribute("viewBox", `${edge.left} ${edge.top} ${right - edge.left} ${bottom - edge.top}`);
  for (const line of chart.lines) inner.append(...strokesOf(line, x, y));
  svg.append(inner);
  followPointer(svg, chart, { x, left: edge.left, right, top: edge.top, bottom, width });
  return svg;
}

/** The band, the line and the points of one series. A missing value is a gap. */
function strokesOf(line, x, y) {
  const place = (k) => x(line.x ? line.x[k] : k);
  const parts = [];
  if (line.low && line.marks === "only") {
    line.low.forEach((low, k) => {
      const ends = { x1: place(k), x2: place(k), y1: y(low), y2: y(line.high[k]) };
      parts.push(shape("line", { class: `interval ${line.role}`, ...ends }));
    });
  } else if (line.low) {
    const known = line.low.map((_, k) => k).filter((k) => line.low[k] !== null && line.high[k] !== null);
    const edge = (k, side) => `${place(k).toFixed(1)},${y(line[side][k]).toFixed(1)}`;
    const around = [...known.map((k) => edge(k, "high")), ...known.reverse().map((k) => edge(k, "low"))];
    parts.push(shape("polygon", { class: `band ${line.role}`, points: around.join(" ") }));
  }
  if (line.marks !== "only") {
    let path = "";
    line.y.forEach((value, k) => {
      if (value === null) return;
      const begins = k === 0 || line.y[k - 1] === null;
      path += `${begins ? "M" : "L"}${place(k).toFixed(1)} ${y(value).toFixed(1)}`;
    });
    parts.push(shape("path", { class: `line ${line.role}`, d: path }));
  }
  if (line.marks) {
    line.y.forEach((value, k) => {
      if (value !== null) parts.push(pointOf(line, place(k), y(value)));
    });
  }
  return parts;
}

/** A point; the RNN's are squares, so that they differ without color too. */
function pointOf({ role }, x, y) {
  const kind = { class: `point ${role}` };
  if (role === "rnn") return shape("rect", { ...kind, x: x - 4, y: y - 4, width: 8, height: 8 });
  return shape("circle", { ...kind, cx: x, cy: y, r: 4.5 });
}

/** Where the pointer is, the values are read off, below the chart. */
function followPointer(svg, chart, area) {
  const cursor = shape("line", { class: "cursor", y1: area.top, y2: area.bottom, visibility: "hidden" });
  svg.append(cursor);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const across = ((event.clientX - box.left) * area.width) / box.width;
    const share = (across - area.left) / (area.right - area.left);
    const k = Math.round(chart.x.low + Math.min(1, Math.max(0, share)) * (chart.x.high - chart.x.low));
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, area.x(k));
    cursor.setAttribute("visibility", "visible");
    svg.parentNode.lastChild.textContent = readingAt(chart, k);
  });
  svg.addEventListener("pointerleave", () => {
    cursor.setAttribute("visibility", "hidden");
    svg.parentNode.lastChild.textContent = "";
  });
}

function readingAt(chart, k) {
  const label = chart.x.ticks.includes(k) ? chart.x.labels[chart.x.ticks.indexOf(k)] : k;
  const values = chart.lines.map((line) => {
    const value = line.y[line.x ? line.x.indexOf(k) : k];
    return value === undefined || value === null ? null : `${line.name} ${written(value, chart.y)}`;
  });
  return [`${label}:`, ...values.filter(Boolean)].join("  ");
}

/** A value on an axis; on a logarithmic one it is the exponent of ten. */
function written(value, axis) {
  if (!axis.log) return String(value).replace("-", "−");
  const raised = { "-": "⁻", ".": "·" };
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const exponent = [...value.toFixed(1)].map((sign) => raised[sign] || digits[sign]).join("");
  return `10${exponent}`;
}

/* ---- Start ------------------------------------------------------------------------------------ */

function start() {
  byId("next").addEventListener("click", nextQuestion);
  byId("reset").addEventListener("click", () => {
    asInTheQuestion();
    writeAddress();
    refresh();
  });
  byId("settings").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    readAddress();
    showView();
    byId("title").focus(); // so that a screen reader reads on from there
  });
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width && shown) drawCharts(shown.charts);
    width = innerWidth;
  });
  readAddress();
  showView();
}

start();
