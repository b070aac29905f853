// Shows frame i of every clip of a film at once, enlarged; draws the commanded pose over it when asked.
"use strict";
const SHOWN = 384; // pixels that the longer side of a clip takes on screen
const INK = "#F0E442", EDGE = "#000000"; // yellow on black reads on any frame

function draw(canvas, film, image, index, posed) {
  const frame = Math.min(index, film.frames - 1);
  const scale = canvas.width / film.width;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  const left = (frame % film.columns) * film.width, top = Math.floor(frame / film.columns) * film.height;
  context.drawImage(image, left, top, film.width, film.height, 0, 0, canvas.width, canvas.height);
  if (!posed || !film.overlay) return;
  for (const [color, width] of [[EDGE, 5], [INK, 2.5]]) {
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = width;
    context.lineJoin = context.lineCap = "round";
    for (const line of film.overlay[frame]) {
      context.beginPath();
      line.forEach(([u, v], i) => i ? context.lineTo(u * scale, v * scale) : context.moveTo(u * scale, v * scale));
      if (line.length > 1) context.stroke();
      else { context.arc(line[0][0] * scale, line[0][1] * scale, width + 1.5, 0, 7); context.fill(); }
    }
  }
}

// The page counts as loading until these are there, which waiting for decode() would not make it.
function loaded(source) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = source;
  });
}

async function setUp(figure, films) {
  const canvases = [...figure.querySelectorAll("canvas")];
  const [button, slider, output] = ["button", "input[type=range]", "output"].map(q => figure.querySelector(q));
  const box = figure.querySelector("input[type=checkbox]");
  const images = await Promise.all(films.map(film => loaded(film.source)));
  films.forEach((film, k) => {
    const scale = Math.max(1, SHOWN / Math.max(film.width, film.height));
    canvases[k].width = Math.round(film.width * scale);
    canvases[k].height = Math.round(film.height * scale);
  });
  const longest = films.reduce((a, b) => b.frames > a.frames ? b : a);
  slider.max = longest.frames - 1;
  const show = () => {
    films.forEach((film, k) => draw(canvases[k], film, images[k], +slider.value, box && box.checked));
    const time = longest.times[+slider.value];
    output.textContent = time === undefined ? `frame ${slider.value}` : `${time.toFixed(1)} s`;
  };
  let timer = null;
  const stop = () => { clearInterval(timer); timer = null; button.textContent = "Play"; };
  const step = () => { slider.value = (+slider.value + 1) % longest.frames; show(); };
  button.onclick = () => { if (timer) stop(); else { timer = setInterval(step, 200); button.textContent = "Pause"; } };
  slider.oninput = () => { stop(); show(); };
  if (box) box.onchange = show;
  slider.value = slider.max; // the end says most, also in print
  show();
}

const films = JSON.parse(document.getElementById("films").textContent);
document.querySelectorAll(".film").forEach(figure => setUp(figure, films[+figure.dataset.film]));
