// Shows one clip at a time and sends what the keys mean. The server holds the answer; this page holds the frame in view.
"use strict";
const SHOWN = 640; // pixels that the longer side of a clip takes on screen
const STEP_MS = 200;
const $ = id => document.getElementById(id);
let state = null, images = [], frame = 0, mark = null, timer = null;

async function call(what, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try { response = await fetch(what, options); }
  catch { $("error").textContent = "The server does not answer: it was stopped. What was saved is kept; start it again and load this page."; return; }
  const value = await response.json();
  if (!response.ok) { $("error").textContent = value.error; return; }
  $("error").textContent = "";
  await show(value);
}

async function show(next) {
  const other = state === null || next.item !== state.item || next.finished;
  state = next;
  $("title").textContent = document.title = state.title;
  $("progress").max = state.total || 1;
  $("progress").value = state.item;
  $("count").textContent = `${Math.min(state.item + (state.finished ? 0 : 1), state.total)} of ${state.total}`;
  $("work").hidden = !!state.finished;
  $("finished").hidden = !state.finished;
  if (state.finished) { stop(); $("finished").replaceChildren(...state.finished.map(line => element("p", line))); return; }
  if (other) await open();
  chosen();
}

async function open() {
  stop();
  mark = state.pending ? state.pending.frame : null;
  $("question").textContent = state.question;
  $("far").hidden = !state.levels.length;
  $("instruction").textContent = state.instruction || "(no instruction)";
  $("levels").replaceChildren(...state.levels.map((text, level) => {
    const line = element("li", text);
    line.onclick = () => press(String(level));
    return line;
  }));
  images = await Promise.all(state.times_s.map(async (_, k) => {
    const image = new Image();
    image.src = `frame/${state.item}/${k}`;
    await image.decode();
    return image;
  }));
  const { naturalWidth: width, naturalHeight: height } = images[0];
  const scale = Math.max(1, Math.floor(SHOWN / Math.max(width, height)));
  Object.assign($("film"), { width: width * scale, height: height * scale });
  $("slider").max = images.length - 1;
  look(0);
  play();
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function look(k) {
  frame = Math.max(0, Math.min(images.length - 1, k));
  const context = $("film").getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(images[frame], 0, 0, $("film").width, $("film").height);
  $("slider").value = frame;
  $("time").textContent = `${state.times_s[frame].toFixed(1)} s, ${frame + 1} of ${images.length}`;
}

function stop() { clearInterval(timer); timer = null; label("Play"); }
function label(text) { document.querySelector('[data-key=" "]').textContent = text; }
function play() {
  if (frame === images.length - 1) look(0);
  timer = setInterval(() => { look(frame + 1); if (frame === images.length - 1) stop(); }, STEP_MS);
  label("Pause");
}

function chosen() {
  const answer = state.pending, said = $("chosen");
  said.className = answer ? String(answer.success) : "";
  [...$("levels").children].forEach((line, level) => line.classList.toggle("picked", !!answer && answer.level === level));
  if (!answer) { said.textContent = "Not answered yet"; return; }
  const words = { true: "Success", false: "Failure", null: "Cannot tell" }[String(answer.success)];
  const moment = answer.frame === null ? "" : `, first in frame ${answer.frame + 1} (${state.times_s[answer.frame].toFixed(1)} s)`;
  const level = answer.level === null ? "" : `, level ${answer.level}: ${state.levels[answer.level]}`;
  said.textContent = `${words}${moment}${level}. Enter saves it and goes on.`;
}

function choose(success, level = null) {
  return call("choose", { item: state.item, success, frame: success ? mark : null, level });
}

function press(key) {
  if (!state || state.finished) return;
  const answer = state.pending;
  switch (key) {
    case "s": return choose(true);
    case "f": return choose(false, answer && answer.success === false ? answer.level : null);
    case "x": return choose(null);
    case "m": stop(); mark = frame; return choose(true);
    case "u": mark = null; return call("undo", { item: state.item });
    case "Enter": return call("next", { item: state.item });
    case " ": return timer ? stop() : play();
    case "ArrowLeft": stop(); return look(frame - 1);
    case "ArrowRight": stop(); return look(frame + 1);
    case "Home": stop(); return look(0);
    case "End": stop(); return look(images.length - 1);
  }
  if (/^[0-9]$/.test(key) && +key < state.levels.length) return choose(false, +key);
}

const KEYS = new Set(["s", "f", "x", "m", "u", "Enter", " ", "ArrowLeft", "ArrowRight", "Home", "End", ..."0123456789"]);
let work = Promise.resolve(); // one key after the other: none overtakes the answer to the one before it
document.addEventListener("keydown", event => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!KEYS.has(key) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (!event.repeat || key.startsWith("Arrow")) work = work.then(() => press(key));
});
document.querySelectorAll("[data-key]").forEach(button => {
  button.onclick = () => { button.blur(); work = work.then(() => press(button.dataset.key)); };
});
$("slider").oninput = () => { stop(); look(+$("slider").value); };
work = call("state");
