// Comments as bitmaps: text is drawn once, not in each of the sixty frames of a second.

const MaxBitmaps = 160;
const MaxPixels = 6_000_000;
const Hues = [4, 28, 48, 152, 188, 214, 262, 322];

/** @typedef {{ image: HTMLCanvasElement, width: number, height: number }} Bitmap Its size is in CSS pixels. */

export class Bitmaps {
  #bitmaps = new Map();   // the least recently used first
  #pixels = 0;
  #look;

  /** Changes how comments look; bitmaps made before are forgotten. */
  set look(look) {
    this.#look = look;
    this.#bitmaps.clear();
    this.#pixels = 0;
  }

  /** @returns {Bitmap} */
  of(text, isOwn) {
    const key = (isOwn ? "!" : " ") + text;
    const known = this.#bitmaps.get(key);
    const bitmap = known ?? this.#draw(text, isOwn);
    this.#bitmaps.delete(key);
    this.#bitmaps.set(key, bitmap);
    if (!known) {
      this.#pixels += bitmap.image.width * bitmap.image.height;
      this.#forget();
    }
    return bitmap;
  }

  #forget() {
    for (const [key, { image }] of this.#bitmaps) {
      if (this.#bitmaps.size <= MaxBitmaps && this.#pixels <= MaxPixels)
        return;
      this.#bitmaps.delete(key);
      this.#pixels -= image.width * image.height;
    }
  }

  #draw(text, isOwn) {
    const { scale, size, isDark, font } = this.#look;
    const image = document.createElement("canvas");
    const context = image.getContext("2d");
    const style = `${isOwn ? 650 : 500} ${size}px ${font}`;
    context.font = style;
    const padding = Math.round(size * 0.8);
    const height = Math.round(size * 1.95);
    const width = Math.ceil(Math.min(context.measureText(text).width, size * 60)) + 2 * padding;

    image.width = Math.ceil(width * scale);
    image.height = Math.ceil(height * scale);
    context.scale(scale, scale);
    context.font = style;
    const { fill, edge, ink } = isOwn ? ownColours(isDark) : coloursOf(hueOf(text), isDark);
    context.beginPath();
    context.roundRect(0.75, 0.75, width - 1.5, height - 1.5, (height - 1.5) / 2);
    context.fillStyle = fill;
    context.fill();
    context.strokeStyle = edge;
    context.lineWidth = 1.5;
    context.stroke();

    context.beginPath();
    context.rect(padding / 2, 0, width - padding, height);
    context.clip();
    context.fillStyle = ink;
    context.textBaseline = "middle";
    context.fillText(text, padding, height / 2 + size * 0.05);
    return { image, width, height };
  }
}

/** The same text always has the same colour. */
function hueOf(text) {
  let hash = 7;
  for (let i = 0; i < text.length; i++)
    hash = (hash * 31 + text.charCodeAt(i)) | 0;
  return Hues[(hash >>> 3) % Hues.length];
}

const coloursOf = (hue, isDark) => isDark
  ? { fill: `hsl(${hue} 45% 17%)`, edge: `hsl(${hue} 50% 28%)`, ink: `hsl(${hue} 90% 87%)` }
  : { fill: `hsl(${hue} 85% 94%)`, edge: `hsl(${hue} 60% 82%)`, ink: `hsl(${hue} 75% 25%)` };

const ownColours = isDark => isDark
  ? { fill: "hsl(4 75% 50%)", edge: "hsl(4 90% 72%)", ink: "#fff" }
  : { fill: "hsl(4 72% 47%)", edge: "hsl(4 70% 34%)", ink: "#fff" };
