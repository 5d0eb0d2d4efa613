// A round button instead of the browser's player, and a line that walks over the spectrogram.
for (const card of document.querySelectorAll(".moment")) {
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
