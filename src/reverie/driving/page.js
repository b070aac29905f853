// Shows what the world shows and tells the server which keys are held. The server steps the world and keeps what is driven.
"use strict";
const SHOWN = 512; // pixels that the longer side of the picture takes on screen
const NAMES = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", " ": "Space" };
const $ = id => document.getElementById(id);
const held = new Set();
let state = null, image = null, pictured = 0, drawn = false, work = Promise.resolve();

async function call(what, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try { response = await fetch(what, options); }
  catch { $("error").textContent = "The server does not answer: it was stopped. What was saved is kept; start it again and load this page."; return null; }
  const value = await response.json();
  $("error").textContent = response.ok ? "" : value.error;
  return response.ok ? value : null;
}

async function watch() {
  for (let next = await call("state"); next !== null; next = await call(`state/${state.version}`)) {
    await show(next);
    if (next.finished) return;
  }
}

async function show(next) {
  const first = state === null;
  state = next;
  if (first) list();
  $("title").textContent = document.title = state.title;
  $("place").textContent = `${state.place} (${state.scene})`;
  $("saved").textContent = state.saved === null ? "nothing is saved" : `${state.saved} saved`;
  $("instruction").textContent = state.instruction || "(no instruction)";
  $("work").hidden = !!state.finished;
  $("finished").hidden = !state.finished;
  $("finished").replaceChildren(...(state.finished || []).map(line => element("p", line)));
  $("chosen").textContent = words();
  $("chosen").className = String(state.success);
  if (state.picture !== pictured) await load(state.picture);
  draw();
}

function words() {
  const doing = { waiting: "Time stands still: hold a key that moves the hand.", running: `${state.pace}.`, over: "" }[state.state];
  const hand = state.gripper === null ? "" : ` Gripper ${state.gripper}.`;
  const done = state.success === null ? "" : state.success ? " Success." : " Not yet a success.";
  return `${state.time_s.toFixed(1)} s. ${doing}${hand}${done} ${state.message}`;
}

async function load(number) {
  const next = new Image();
  next.src = `frame/${number}`;
  try { await next.decode(); } catch { return; } // the world was faster: a newer one comes
  image = next;
  pictured = number;
}

function draw() {
  if (image === null) return;
  const film = $("film"), context = film.getContext("2d");
  const scale = Math.max(1, Math.floor(SHOWN / Math.max(image.naturalWidth, image.naturalHeight)));
  const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
  if (film.width !== width || film.height !== height) Object.assign(film, { width, height });
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, width, height);
  if (drawn) state.lines.forEach(points => line(context, points, scale));
}

function line(context, points, scale) {
  context.strokeStyle = "#E69F00";
  context.lineWidth = 2;
  context.beginPath();
  points.forEach(([u, v]) => context.lineTo(u * scale, v * scale));
  context.stroke();
}

function list() {
  $("moves").replaceChildren("Hold: ", ...Object.entries(state.moves).flatMap(([key, what]) => [kbd(key), ` ${what}   `]));
  $("keys").replaceChildren(...Object.entries({ ...state.presses, o: "commanded pose over the picture" }).map(([key, what]) => {
    const button = element("button", "");
    button.replaceChildren(kbd(key), ` ${what}`);
    button.onclick = () => { button.blur(); press(key); };
    return button;
  }));
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
function kbd(key) { return element("kbd", NAMES[key] || (key.length === 1 ? key.toUpperCase() : key)); }

function send(what, body) { work = work.then(() => call(what, body)); }
function hold() { send("hold", { keys: [...held] }); }
function press(key) {
  if (key === "o") { drawn = !drawn; draw(); return; }
  send("press", { key });
}

const named = event => event.key.length === 1 ? event.key.toLowerCase() : event.key;
document.addEventListener("keydown", event => {
  const key = named(event);
  if (!state || event.ctrlKey || event.metaKey || event.altKey) return;
  const moves = key in state.moves;
  if (!moves && !(key in state.presses) && key !== "o") return;
  event.preventDefault();
  if (event.repeat) return;
  if (moves) { held.add(key); hold(); } else press(key);
});
document.addEventListener("keyup", event => { if (held.delete(named(event))) hold(); });
window.addEventListener("blur", () => { if (held.size) { held.clear(); hold(); } });
watch();
