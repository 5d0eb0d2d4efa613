"use strict";
// Microphone or file to the server, its answers to the pictures and the list.

const $ = (id) => document.getElementById(id);
const pictures = new Pictures($("spectrogram"), $("posteriors"));
const SHOWN = 100, MOST_WAITING = 1 << 20;
let socket = null, hello = null, microphone = null, shown = 0;

function connect() {
  socket = new WebSocket(`ws://${location.host}/socket`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = (event) => answer(JSON.parse(event.data));
  socket.onclose = () => {
    closeMicrophone();
    $("listen").disabled = $("choose").disabled = true;
    problem("The connection to kws demo is gone. Start it again, then reload this page.");
  };
}

function answer(message) {
  if (message.kind === "hello") {
    hello = message;
    $("bundle").textContent = `${hello.bundle}: ${hello.keywords.join(", ")}; ${hello.frontend}, ` +
      (hello.sensitivity ? `sensitivity ${hello.sensitivity}, ` : "") +
      `threshold ${hello.threshold} over ${hello.window_ms} ms`;
    $("listen").disabled = $("choose").disabled = false;
    pictures.begin(hello);
    legend(hello.keywords);
  } else if (message.kind === "length") {
    pictures.clear(message.ms);
  } else if (message.kind === "heard") {
    heard(message);
  } else if (message.kind === "end") {
    status(`Ended after ${clock(pictures.heard)}, ${shown} detections.`);
    document.body.dataset.state = "ended";
  } else {
    closeMicrophone();
    problem(message.text);
  }
}

function heard(update) {
  pictures.add(update);
  $("clock").textContent = clock(update.heard_ms);
  const last = update.rows.at(-1);
  if (last) hello.keywords.forEach((keyword, index) => {
    $("legend").children[index].lastChild.textContent = last[2][index].toFixed(2);
  });
  for (const found of update.detections) {
    const entry = document.createElement("li");
    for (const text of [clock(found.end_ms, 2), found.label, found.score.toFixed(3)]) {
      entry.append(Object.assign(document.createElement("span"), { textContent: text }));
    }
    entry.dataset.label = found.label;
    entry.dataset.ms = found.end_ms;
    $("detections").prepend(entry);
    if ($("detections").children.length > SHOWN) $("detections").lastChild.remove();
    $("count").textContent = ++shown;
    $("last").textContent = `${found.label} at ${clock(found.end_ms)}`;
  }
}

function legend(keywords) {
  $("legend").replaceChildren(...keywords.map((keyword, index) => {
    const entry = document.createElement("li"), swatch = document.createElement("i");
    swatch.style.borderColor = `var(--k${index % 8})`;
    const value = Object.assign(document.createElement("b"), { textContent: "0.00" });
    entry.append(swatch, keyword, " ", value);
    return entry;
  }));
}

function begin(view) {
  pictures.clear(view);
  $("detections").replaceChildren();
  $("last").textContent = "";
  $("count").textContent = shown = 0;
  $("problem").hidden = true;
  document.body.dataset.state = "listening";
}

async function listen() {
  if (microphone) return stop();
  begin(LIVE_MS);
  $("listen").disabled = true;
  try {
    // As the sound is: a browser's noise suppression would change what the model was trained on.
    const sound = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: sound });
    microphone = { stream };
    await throughWorklet(stream).catch(async (error) => {
      // A browser that cannot resample its microphone: the server can.
      if (error.name !== "NotSupportedError") throw error;
      await throughWorklet(stream, true);
    });
    pressed(true);
    status("Listening.");
  } catch (error) {
    closeMicrophone();
    problem(`No microphone: ${error.message}`);
  }
  $("listen").disabled = false;
}

async function throughWorklet(stream, asItIs = false) {
  const context = new AudioContext(asItIs ? {} : { sampleRate: hello.sample_rate });
  try {
    await context.audioWorklet.addModule("worklet.js");
    const source = context.createMediaStreamSource(stream);
    const pcm = new AudioWorkletNode(context, "pcm", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    tell({ kind: "listen", rate: context.sampleRate });
    pcm.port.onmessage = ({ data }) => send(data);
    source.connect(pcm);
    await context.resume();
  } catch (error) {
    await context.close();
    throw error;
  }
  microphone.context = context;
}

function send(chunk) {
  if (!microphone || socket.readyState !== WebSocket.OPEN) return;
  if (socket.bufferedAmount > MOST_WAITING) {
    stop();
    return problem("The model is too far behind the microphone; a smaller one may keep up.");
  }
  socket.send(chunk.buffer);
  let power = 0;
  for (const sample of chunk) power += sample * sample;
  const full = Math.sqrt(power / chunk.length) / 32768;
  $("level").value = Math.max(-60, 20 * Math.log10(full + 1e-9));
}

function stop() {
  closeMicrophone();
  tell({ kind: "stop" });
}

function closeMicrophone() {
  if (!microphone) return;
  microphone.stream.getTracks().forEach((track) => track.stop());
  if (microphone.context) microphone.context.close();
  microphone = null;
  $("level").value = -60;
  pressed(false);
}

async function hear(file) {
  if (!file || !hello) return;
  closeMicrophone();
  begin(LIVE_MS);
  status(`Hearing ${file.name}.`);
  const content = await file.arrayBuffer();
  tell({ kind: "file", name: file.name });
  socket.send(content);
}

function tell(command) { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command)); }
function clock(ms, digits = 1) { return `${(ms / 1000).toFixed(digits)} s`; }
function status(text) { $("status").textContent = text; }
function problem(text) { $("problem").textContent = text; $("problem").hidden = false; }
function pressed(on) {
  $("listen").setAttribute("aria-pressed", on);
  $("listen").textContent = on ? "Stop" : "Listen";
}

$("listen").addEventListener("click", listen);
$("choose").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => { hear($("file").files[0]); $("file").value = ""; });
addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("over"); });
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  hear(event.dataTransfer.files[0]);
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "l" && !$("listen").disabled) listen();
  if (event.key === "o" && !$("choose").disabled) $("file").click();
});
connect();
