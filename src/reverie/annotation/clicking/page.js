// Shows one frame at a time and sends where it was clicked, in its own pixels: (0, 0) is the centre of the upper left one.
"use strict";
const SHOWN = 768; // pixels that the longer side of a frame takes on screen
const $ = id => document.getElementById(id);
let state = null, scale = 1, work = Promise.resolve();

async function call(what, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try { response = await fetch(what, options); }
  catch { $("error").textContent = "The server does not answer: it was stopped. What was clicked is kept; start it again and load this page."; return; }
  const value = await response.json();
  $("error").textContent = response.ok ? "" : value.error;
  if (response.ok) await show(value);
}

async function show(next) {
  const image = new Image();
  if (!next.finished) { image.src = `frame/${next.item}?${next.n_clicks}`; await image.decode(); draw(image); }
  state = next;
  $("title").textContent = document.title = state.title;
  $("count").textContent = `${state.n_clicks} clicked`;
  $("chosen").textContent = state.question || "";
  $("where").textContent = state.where || "";
  $("work").hidden = !!state.finished;
  $("finished").hidden = !state.finished;
  $("finished").replaceChildren(...(state.finished || []).map(line => Object.assign(document.createElement("p"), { textContent: line })));
}

function draw(image) {
  const { naturalWidth: width, naturalHeight: height } = image;
  scale = Math.max(1, Math.floor(SHOWN / Math.max(width, height)));
  Object.assign($("film"), { width: width * scale, height: height * scale });
  const context = $("film").getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, width * scale, height * scale);
}

function press(key) {
  if (!state || (state.finished && key !== "u")) return;
  if (key === "x") return call("skip", { item: state.item });
  if (key === "u") return call("undo", { item: state.item });
}

$("film").onclick = event => {
  const box = $("film").getBoundingClientRect(), shown = $("film").width / box.width / scale;
  const [u, v] = [(event.clientX - box.left) * shown - 0.5, (event.clientY - box.top) * shown - 0.5];
  work = work.then(() => call("click", { item: state.item, u, v }));
};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (key === "x" || key === "u") work = work.then(() => press(key));
});
document.querySelectorAll("[data-key]").forEach(button => {
  button.onclick = () => { button.blur(); work = work.then(() => press(button.dataset.key)); };
});
work = call("state");
