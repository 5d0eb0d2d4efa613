"use strict";
// The two pictures: spectrogram above, posteriors below, one time axis, newest sound at the right.

const LIVE_MS = 10000, LONGEST_MS = 60000, FONT = "12px system-ui, sans-serif";

class Pictures {
  constructor(spectrogram, posteriors) {
    this.spectrogram = spectrogram;
    this.posteriors = posteriors;
    this.small = document.createElement("canvas");
    this.clear(LIVE_MS);
    this.due = false;
    const again = () => this.soon();
    new ResizeObserver(again).observe(spectrogram);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  }

  begin(hello) { this.hello = hello; this.clear(LIVE_MS); }

  clear(view) {
    this.view = Math.min(Math.max(view, 2000), LONGEST_MS);
    this.frames = []; this.first = 0; this.rows = []; this.fired = []; this.heard = 0; this.range = 1;
    this.soon();
  }

  add(update) {
    this.heard = update.heard_ms;
    this.frames.push(...update.frames);
    this.rows.push(...update.rows);
    this.fired.push(...update.detections);
    // What has left the picture for good.
    const begin = this.heard - this.view - 1000, hop = this.hello.hop_ms;
    const gone = Math.min(Math.floor(begin / hop) - this.first, this.frames.length);
    if (gone > 0) { this.frames.splice(0, gone); this.first += gone; }
    while (this.rows.length && this.rows[0][0] < begin) this.rows.shift();
    while (this.fired.length && this.fired[0].end_ms < begin) this.fired.shift();
    this.soon();
  }

  soon() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; if (this.hello) this.draw(); });
  }

  draw() {
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.right = Math.max(this.heard, this.view);
    this.left = this.right - this.view;
    this.drawSpectrogram(this.prepared(this.spectrogram));
    this.drawPosteriors(this.prepared(this.posteriors));
  }

  prepared(canvas) {
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = this.colour("s0");
    pen.fillRect(0, 0, width, height);
    pen.font = FONT;
    return { pen, width, height, x: (ms) => (ms - this.left) / this.view * width };
  }

  drawSpectrogram({ pen, width, height, x }) {
    const columns = this.frames.length, rows = columns ? this.frames[0].length : 0;
    if (columns) {
      let low = Infinity, high = -Infinity;
      for (const frame of this.frames) for (const value of frame) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
      this.range = Math.max(this.range, high - low);
      // Silence is not stretched until its noise fills the scale.
      high = Math.max(high, low + this.range / 4);
      const palette = this.palette(), picture = new ImageData(columns, rows);
      const pixels = new Uint32Array(picture.data.buffer);
      this.frames.forEach((frame, column) => {
        for (let row = 0; row < rows; row++) {
          const shade = Math.round((frame[row] - low) / (high - low) * 255);
          pixels[(rows - 1 - row) * columns + column] = palette[shade];
        }
      });
      this.small.width = columns; this.small.height = rows;
      this.small.getContext("2d").putImageData(picture, 0, 0);
      const hop = this.hello.hop_ms, begin = this.first * hop + this.hello.frame_ms / 2;
      pen.imageSmoothingEnabled = false;
      pen.drawImage(this.small, x(begin), 0, columns * hop / this.view * width, height);
    }
    this.drawFired(pen, x, height, false);
  }

  drawPosteriors({ pen, width, height, x }) {
    const top = 18, bottom = height - 16, y = (value) => bottom - value * (bottom - top);
    pen.fillStyle = this.colour("quiet");
    pen.strokeStyle = this.colour("line");
    pen.lineWidth = 1;
    for (const value of [0, 0.5, 1]) this.line(pen, 0, y(value), width, y(value));
    const every = this.view > 20000 ? 10000 : this.view > 5000 ? 2000 : 500;
    for (let ms = Math.ceil(this.left / every) * every; ms < this.right; ms += every) {
      this.line(pen, x(ms), top, x(ms), bottom);
      pen.fillText(`${ms / 1000} s`, x(ms) + 3, height - 3);
    }
    pen.setLineDash([6, 5]);
    pen.strokeStyle = this.colour("ink");
    this.line(pen, 0, y(this.hello.threshold), width, y(this.hello.threshold));
    pen.setLineDash([]);
    this.hello.keywords.forEach((keyword, index) => {
      pen.strokeStyle = this.colour(`k${index % 8}`);
      for (const [which, thick] of [[1, 1], [2, 2.4]]) {
        pen.lineWidth = thick;
        pen.beginPath();
        for (const row of this.rows) pen.lineTo(x(row[0]), y(row[which][index]));
        pen.stroke();
      }
    });
    this.drawFired(pen, x, height, true);
  }

  drawFired(pen, x, height, named) {
    for (const found of this.fired) {
      const index = this.hello.keywords.indexOf(found.label);
      pen.strokeStyle = pen.fillStyle = this.colour(`k${index % 8}`);
      pen.lineWidth = 2;
      this.line(pen, x(found.end_ms), 0, x(found.end_ms), height);
      if (named) {
        pen.textAlign = x(found.end_ms) > 80 ? "right" : "left";
        pen.fillText(found.label, x(found.end_ms) + (pen.textAlign === "right" ? -5 : 5), 12);
        pen.textAlign = "left";
      }
    }
  }

  line(pen, x0, y0, x1, y1) {
    pen.beginPath(); pen.moveTo(x0, y0); pen.lineTo(x1, y1); pen.stroke();
  }

  palette() {
    const stops = ["s0", "s1", "s2"].map((name) => {
      const hex = this.colour(name).slice(1);
      return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
    });
    return Uint32Array.from({ length: 256 }, (_, shade) => {
      const at = shade / 127.5, from = stops[Math.min(1, Math.floor(at))];
      const to = stops[Math.min(1, Math.floor(at)) + 1], part = at - Math.min(1, Math.floor(at));
      const [red, green, blue] = from.map((value, i) => Math.round(value + (to[i] - value) * part));
      return (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
    });
  }
}
