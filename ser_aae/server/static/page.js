// The page: takes a recording, asks the endpoint about it, shows the answer.
// Text of the server is put in as text and never as HTML.

import { Recorder } from "./recorder.js";

const STEP_S = 0.5;
const MOST_CLASSES = 16;
const MOST_SPEAKERS = 5;
const MOST_SPANS_TOLD = 120;
const MEBIBYTE = 2 ** 20;

// a recording ends by itself a little before it is too long or too large
const SPARE_S = 0.1;
const SPARE_BYTES = MEBIBYTE / 16;

const at = (selector) => document.querySelector(selector);
const dark = matchMedia("(prefers-color-scheme: dark)");

let model = null; // what /api/model says
let recorder = null; // while the microphone is on
let starting = false; // while it is asked for
let asking = null; // aborts the request that is not answered yet

function element(kind, className = "", text = "") {
  const made = document.createElement(kind);
  made.className = className;
  made.textContent = text;
  return made;
}

function bar(share) {
  const track = element("span", "track");
  const fill = element("span", "fill");
  fill.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  track.append(fill);
  return track;
}

function showError(message) {
  at("#error").textContent = message;
  at("#error").hidden = !message;
}

/** Returns a class' name for people, `female` for `F`. */
function nameOf(task, code) {
  return model?.names[task]?.[code] ?? code;
}

/** Shows nothing, and waits for nothing. */
function clear() {
  asking?.abort();
  asking = null;
  document.body.removeAttribute("aria-busy");
  showError("");
  at("#said").textContent = "";
  at("#results").hidden = true;
}

// what the server says

async function fetchJson(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new Error("The server does not answer, or broke off; is it still running?");
  }
  if (response.status === 401) location.assign("login"); // the session has ended
  const found = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(found.error ?? `The server answers with ${response.status}.`);
  return found;
}

async function describeModel() {
  model = await fetchJson("api/model");
  const { max_seconds: seconds, max_megabytes: megabytes, warnings } = model;
  at("#limits").textContent = `At most ${seconds}\u00a0seconds and ${megabytes}\u00a0MB.`;
  at("#notes ul").replaceChildren(...warnings.map((text) => element("li", "", text)));
  at("#notes").hidden = warnings.length === 0;
}

// what the client gives

async function recognise(file) {
  if (recorder) endRecording(); // what it holds is not wanted
  clear();
  play(file);
  document.body.setAttribute("aria-busy", "true");
  at("#said").textContent = "Listening to the recording …";
  const mine = asking = new AbortController();
  const scheme = dark.matches ? "dark" : "light";
  try {
    const answer = await predict(file, scheme, mine.signal);
    if (mine === asking) show(answer, scheme); // or something else was given meanwhile
  } catch (error) {
    if (mine !== asking) return;
    clear();
    showError(error.message);
  }
}

function predict(file, scheme, signal) {
  if (model && file.size > model.max_megabytes * MEBIBYTE) {
    throw new Error(
      `${file.name}: expected a recording of at most ${model.max_megabytes} MB; ` +
      "send a shorter one");
  }
  const body = new FormData();
  body.append("file", file);
  const query = `timeline_seconds=${STEP_S}&picture=${scheme}`;
  return fetchJson(`api/predict?${query}`, { method: "POST", body, signal });
}

function play(file) {
  const player = at("#player");
  URL.revokeObjectURL(player.src);
  player.hidden = false;
  player.src = URL.createObjectURL(file);
  at("#name").textContent = file.name;
  at("#heard").hidden = false;
}

async function startRecording() {
  starting = true; // until somebody has allowed it
  clear();
  try {
    recorder = await Recorder.start(follow);
    clear();
    at("#said").textContent = "Recording …";
    at("#heard").hidden = true;
    at("#listening").hidden = false;
    at("#record").textContent = "Stop";
    document.body.classList.add("recording");
  } catch (error) {
    const refused = error.name === "NotAllowedError" || error.name === "NotFoundError";
    showError(refused ? "The browser gives no microphone: none is there, or this page may not " +
      "use it. Choose a file instead." : error.message);
  }
  starting = false;
}

function follow(seconds, level) {
  const whole = Math.floor(seconds);
  at("#elapsed").textContent = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  at("#level").style.width = `${100 * Math.min(1, Math.sqrt(level))}%`;
  if (!recorder || !model) return;
  const room = model.max_megabytes * MEBIBYTE - recorder.bytes;
  if (seconds > model.max_seconds - SPARE_S || room < SPARE_BYTES) recognise(endRecording());
}

function endRecording() {
  const file = recorder.stop();
  recorder = null;
  at("#listening").hidden = true;
  at("#record").textContent = "Record";
  document.body.classList.remove("recording");
  return file;
}

// what is shown of the answer

function show(answer, scheme) {
  document.body.removeAttribute("aria-busy");
  const [duration, speech] = [answer.duration_s.toFixed(1), answer.speech_s.toFixed(1)];
  at("#said").textContent = answer.silent
    ? `${duration} s of silence.` : `${duration} s, ${speech} s of it speech.`;
  at("#oddities").replaceChildren(...answer.oddities.map((text) => element("li", "", text)));
  at("#oddities").hidden = answer.oddities.length === 0;
  // the primary task comes first
  const tasks = Object.entries(answer.posteriors).filter(
    ([task], place) => place === 0 || task !== "speaker");
  at("#bars").replaceChildren(...tasks.map(([task, classes]) => showTask(task, classes)));
  showTimeline(answer, scheme);
  showSpeakers(answer.enrolled_speakers);
  at("#results").hidden = false;
}

function showTask(task, classes) {
  const card = element("section", "card");
  card.id = `bars-${task}`;
  const ranked = Object.entries(classes).sort(([, one], [, other]) => other - one)
    .slice(0, MOST_CLASSES);
  const list = element("ul", "posteriors");
  list.setAttribute("role", "list"); // some browsers take a list without marks for none
  list.append(...ranked.map(([name, share]) => {
    const row = element("li");
    const per = element("span", "figure", `${Math.round(100 * share)}%`);
    row.append(element("span", "", nameOf(task, name)), " ", bar(share), " ", per);
    return row;
  }));
  card.append(element("h2", "", task), element("p", "best", nameOf(task, ranked[0][0])), list);
  return card;
}

function showTimeline(answer, scheme) {
  const picture = element("img");
  picture.alt = tellTimeline(answer);
  picture.src = `data:image/png;base64,${answer.picture}`;
  at("#timeline").replaceChildren(picture);
  at("#timeline").dataset.scheme = scheme; // it was drawn for this one, whatever the page has now
}

/** Returns the picture in words, for whoever cannot see it. */
function tellTimeline({ timeline, posteriors }) {
  const [task = ""] = Object.keys(posteriors);
  const spans = [];
  for (const { start_s, end_s, best } of timeline) {
    const name = task in best ? nameOf(task, best[task]) : "silence";
    if (spans.at(-1)?.name === name) spans.at(-1).end_s = end_s;
    else spans.push({ name, start_s, end_s });
  }
  const told = spans.slice(0, MOST_SPANS_TOLD).map(
    ({ name, start_s, end_s }) => `${name} from ${+start_s.toFixed(1)} to ${+end_s.toFixed(1)} s`);
  if (spans.length > told.length) told.push("and so on");
  return `Spectrogram, and ${task || "silence"} over time: ${told.join(", ")}`;
}

function showSpeakers(speakers) {
  at("#speakers").hidden = speakers.length === 0;
  const rows = speakers.slice(0, MOST_SPEAKERS).map(({ name, cosine }) => {
    const row = element("tr");
    const last = element("td");
    last.append(bar(cosine));
    row.append(element("td", "", name), element("td", "figure", cosine.toFixed(3)), last);
    return row;
  });
  at("#speakers tbody").replaceChildren(...rows);
}

// what happens

at("#record").addEventListener("click", () => {
  if (recorder) recognise(endRecording());
  else if (!starting) startRecording();
});
at("#file").addEventListener("change", ({ target }) => {
  if (target.files.length) recognise(target.files[0]);
  target.value = ""; // the same file may be chosen again
});
at("#player").addEventListener("error", () => { at("#player").hidden = true; }); // AIFF, for one
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dropping", kind === "dragenter" || kind === "dragover");
  });
}
document.addEventListener("drop", ({ dataTransfer }) => {
  if (dataTransfer.files.length) recognise(dataTransfer.files[0]);
  else showError("Expected a file of sound to be dropped, got something else.");
});
describeModel().catch((error) => showError(error.message));
