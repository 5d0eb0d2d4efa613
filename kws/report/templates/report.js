// A round button instead of the browser's player, and a line that moves over the spectrogram.
for (const card of document.querySelectorAll(".example")) {
  const sound = card.querySelector("audio");
  const button = card.querySelector("button");
  const sign = button.firstElementChild;
  const picture = card.querySelector("svg");
  const head = card.querySelector(".playhead");
  const left = Number(picture.dataset.left);
  const wide = Number(picture.dataset.wide);
  card.classList.add("scripted");
  button.hidden = false;
  button.addEventListener("click", () => {
    if (!sound.paused) {
      sound.pause();
      return;
    }
    for (const other of document.querySelectorAll("audio")) other.pause();
    sound.currentTime = 0;
    sound.play();
  });
  const walk = () => {
    const share = sound.duration ? sound.currentTime / sound.duration : 0;
    head.setAttribute("transform", `translate(${left + wide * share} 0)`);
    if (!sound.paused) requestAnimationFrame(walk);
  };
  sound.addEventListener("play", () => {
    card.classList.add("playing");
    sign.textContent = "■";
    walk();
  });
  const rest = () => {
    card.classList.remove("playing");
    sign.textContent = "▶";
  };
  sound.addEventListener("pause", rest);
  sound.addEventListener("ended", rest);
}

// A cell of the confusion matrix shows its clips while the mouse rests on it or on them; pressed, they
// stay until Escape or a press elsewhere, as the browser does it for popovers.
const REST_MS = 180;
for (const button of document.querySelectorAll("button[popovertarget]")) {
  const clips = document.getElementById(button.getAttribute("popovertarget"));
  let pinned = false;
  let waiting = 0;
  const open = () => clips.matches(":popover-open");
  const later = (what) => {
    clearTimeout(waiting);
    waiting = setTimeout(what, REST_MS);
  };
  const leave = () => later(() => {
    const playing = [...clips.querySelectorAll("audio")].some((sound) => !sound.paused);
    if (open() && !pinned && !playing && !clips.contains(document.activeElement)) {
      clips.hidePopover();
    }
  });
  button.addEventListener("pointerenter", (event) => {
    if (event.pointerType === "mouse") later(() => open() || clips.showPopover());
  });
  button.addEventListener("pointerleave", leave);
  clips.addEventListener("pointerenter", () => clearTimeout(waiting));
  clips.addEventListener("pointerleave", leave);
  button.addEventListener("click", () => {
    clearTimeout(waiting);
    pinned = true;
  });
  clips.addEventListener("toggle", (event) => {
    if (event.newState !== "open") {
      pinned = false;
      for (const sound of clips.querySelectorAll("audio")) sound.pause();
      return;
    }
    // Below the cell, or above it where there is no room below; always inside the window.
    const cell = button.getBoundingClientRect();
    const { width, height } = clips.getBoundingClientRect();
    const inside = (place, size, room) => Math.max(8, Math.min(place, room - size - 8));
    const below = cell.bottom + 4;
    const top = below + height > innerHeight ? cell.top - height - 4 : below;
    clips.style.inset = "auto";
    clips.style.margin = "0";
    clips.style.left = `${inside(cell.left, width, document.documentElement.clientWidth)}px`;
    clips.style.top = `${inside(top, height, innerHeight)}px`;
  });
}
