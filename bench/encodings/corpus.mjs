// Chats as a live room has them, made from a seed: node bench/encodings/corpus.mjs [KIND] [--count N] [--seed N] prints one a line;
// with --batches N it prints batches of so many, each as the payload of a frame.
// The same seed makes the same chats on every machine. docs/performance.md says what is assumed.
import { parseArgs } from "node:util";
import { emoji, languages, names } from "./languages.mjs";

export const defaultSeed = 10;

/** What the kinds are. */
export const kinds = {
  chats: "rooms in eight languages; in each, 85 % of the texts are in the room's language, the others in any",
  mixed: "every text in any of the eight languages",
  cheers: "as chats, at a moment when 90 % of the texts are a phrase that everybody writes",
  large: "as chats, with the longer objects that some publishers send: avatar, level, medal, nested user",
  poor: "random letters and digits instead of objects: what encrypted or already compressed messages look like",
};

/** Words of a language. Word number n has the probability 1 / (n + 2.7), as in natural texts (Zipf, Mandelbrot). */
const vocabulary = 4000;
const offset = 2.7;

/** Shares of all texts: nothing but a phrase that everybody writes; ending with emoji; beginning with somebody's name. */
const shareOfPhrases = 0.3;
const shareWithEmoji = 0.2;
const shareWithMention = 0.05;

/** Of the texts of a room. */
const shareOfOtherLanguages = 0.15;

const users = 5000;

/** Half of the colours that people choose are among those that a site offers. */
const palette = "ff0000 0000ff 008000 b22222 ff7f50 9acd32 ff4500 2e8b57 daa520 d2691e 5f9ea0 1e90ff ff69b4 8a2be2 00ff7f".split(" ");

/** Random numbers from a seed: sfc32, 32-bit integers only. */
export function randomFrom(seed) {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, seed | 0, 1];
  const next = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21 | c >>> 11) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 16; i++) next();
  const below = limit => Math.floor(next() / 2 ** 32 * limit);
  return { below, chance: share => next() / 2 ** 32 < share, of: list => list[below(list.length)], number: () => next() / 2 ** 32 };
}

/** Chooses item number n with a probability of 1 / (n + offset). */
function zipf(items, random) {
  const sums = [];
  items.reduce((sum, _, n) => sums[n] = sum + 1 / (n + offset), 0);
  return () => {
    const at = random.number() * sums.at(-1);
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = low + high >> 1;
      if (sums[middle] < at) low = middle + 1;
      else high = middle;
    }
    return items[low];
  };
}

/** The frequent words, and rarer ones made of the same letters. */
function wordsOf(language, random) {
  const words = [...new Set(language.words)];
  const known = new Set(words);
  const make = language.more ? pairs(language, random) : letterChain(words, random);
  while (words.length < vocabulary) {
    const word = make();
    if (!known.has(word)) words.push(word);
    known.add(word);
  }
  return words;
}

/** Words whose letters follow each other as in the given ones: each is chosen by the two letters before it, sometimes by only one. */
function letterChain(words, random) {
  const following = new Map();
  const learn = (before, letter) => following.has(before) ? following.get(before).push(letter) : following.set(before, [letter]);
  for (const word of words) {
    const letters = ["^", ...word, ""];
    for (let at = 1; at < letters.length; at++) {
      learn(letters[at - 1], letters[at]);
      if (at > 1) learn(letters[at - 2] + letters[at - 1], letters[at]);
    }
  }
  return () => {
    for (;;) {
      let word = "^";
      for (let letter; word.length < 14; word += letter) {
        const before = word.length > 1 && random.chance(0.7) ? 2 : 1;
        letter = random.of(following.get([...word].slice(-before).join("")));
        if (!letter) break;
      }
      if (word.length > 3) return word.slice(1);
    }
  };
}

function pairs(language, random) {
  const characters = [...new Set([...language.words.join(""), ...language.more])];
  const choose = zipf(characters, random);
  return () => choose() + random.of(characters);
}

/** The words of a text one after the other, then undefined. */
function readingOf(text, space) {
  const words = text.split(space);
  return () => words.shift();
}

/** Makes the texts of one language. */
class Writer {
  #language;
  #random;
  #phrases;
  #sentences;
  #word;
  #phrase;
  #emoji;

  constructor(language, random, phrases, sentences) {
    this.#language = language;
    this.#random = random;
    this.#phrases = phrases;
    this.#sentences = sentences;
    this.#word = zipf(wordsOf(language, random), random);
    this.#phrase = zipf(language.phrases, random);
    this.#emoji = zipf(emoji, random);
  }

  text(mentionable) {
    const random = this.#random;
    if (random.chance(this.#phrases)) return this.#repeated(this.#phrase()) + this.#maybeEmoji();
    const mention = random.chance(shareWithMention) ? `@${random.of(mentionable).name} ` : "";
    return mention + this.#sentence() + this.#maybeEmoji();
  }

  /** Words up to a length between the least and the greatest, most of them short. */
  #sentence() {
    const random = this.#random;
    const { space, length: [least, mean, most] } = this.#language;
    // The sum of two random numbers, one of which is squeezed to make long texts rare.
    const target = Math.min(most, least + (mean - least) * (random.number() + 2 * random.number() * random.number()));
    const word = this.#sentences ? readingOf(random.of(this.#sentences), space) : this.#word;
    let text = word();
    for (;;) {
      const next = word();
      const more = text + space + next;
      if (next === undefined || [...more].length > target) break;
      text = more;
    }
    return text + random.of(["", "", "", "", "!", "?", "...", "!!"]);
  }

  #repeated(phrase) {
    return phrase.replace(/\{(.+)\*\}/u, (_, part) => part.repeat(1 + this.#random.below(7)));
  }

  #maybeEmoji() {
    if (!this.#random.chance(shareWithEmoji)) return "";
    return ` ${this.#emoji().repeat(1 + this.#random.below(3))}`;
  }
}

const color = random => `#${random.chance(0.5) ? random.of(palette) : random.below(1 << 24).toString(16).padStart(6, "0")}`;

/** One of the people who write: the name, the colour and the badge stay. */
function person(random, language) {
  const own = languages[language].names;
  const begin = own.length > 0 && random.chance(0.6) ? random.of(own) : random.of(names);
  const number = random.below(random.of([10, 100, 100, 1000, 10_000]));
  const end = random.of([() => "", () => `${number}`, () => `_${random.of(names)}`, () => `${random.of(names)}${number}`])();
  const name = begin + end;
  return {
    name,
    color: random.chance(0.4) ? color(random) : undefined,
    badge: random.chance(0.4) ? random.below(random.of([5, 30])) + 1 : undefined,
    id: 1_000_000 + random.below(400_000_000),
  };
}

/** What one kind of room publishes, chat by chat. */
export class Corpus {
  #random;
  #kind;
  #writers;
  #people;
  #id;
  #time;

  /** With sentences (lists by language), texts are their beginnings instead of made from words. */
  constructor(kind, seed = defaultSeed, sentences = {}) {
    if (!(kind in kinds)) throw new Error(`The kinds are ${Object.keys(kinds).join(", ")}.`);
    const random = randomFrom(seed);
    this.#random = random;
    this.#kind = kind;
    const codes = Object.keys(languages);
    const phrases = kind === "cheers" ? 0.9 : shareOfPhrases;
    this.#writers = Object.fromEntries(codes.map(code => [code, new Writer(languages[code], random, phrases, sentences[code])]));
    this.#people = Object.fromEntries(codes.map(code => [code, Array.from({ length: users }, () => person(random, code))]));
    this.#id = 51_000_000 + random.below(1_000_000);
    this.#time = 1_795_300_000_000 + random.below(1_000_000);
  }

  /** A batch: the chats that one room publishes within a second, as JSON texts. */
  batch(count, language = this.#random.of(Object.keys(languages))) {
    return Array.from({ length: count }, () => {
      // All rooms of a site share the numbers, and a second has as many chats as the batch.
      this.#id += 1 + this.#random.below(20);
      this.#time += this.#random.below(Math.max(2, Math.round(2000 / count)));
      if (this.#kind === "poor") return JSON.stringify(this.#noise(105));
      const any = this.#kind === "mixed" || this.#random.chance(shareOfOtherLanguages);
      return JSON.stringify(this.#chat(any ? this.#random.of(Object.keys(languages)) : language));
    });
  }

  #chat(language) {
    const people = this.#people[language];
    const { id, name, color, badge } = this.#random.of(people);
    const text = this.#writers[language].text(people);
    if (this.#kind !== "large") return { id: this.#id, time: this.#time, user: name, color, badge, text };
    return {
      type: "chat", id: this.#id, time: this.#time,
      user: { id, name, avatar: `https://img.example.com/u/${id}/64.webp`, level: id % 60, badge: badge ?? null },
      style: { color: color ?? "#ffffff", size: 25, mode: 1 }, text,
    };
  }

  #noise(length) {
    const characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return Array.from({ length }, () => this.#random.of(characters)).join("");
  }
}

/** The languages of so many rooms, all equally often. */
export const roomsOf = count => Array.from({ length: count }, (_, i) => Object.keys(languages)[i % Object.keys(languages).length]);

/** A batch as the payload of a frame. */
export const pushOf = chats => `{"type":"PUSH","data":{"room":"demo","items":[${chats}]}}`;

if (import.meta.filename === process.argv[1]) {
  const { values, positionals: [kind = "chats"] } = parseArgs({
    allowPositionals: true,
    options: { count: { type: "string", default: "100" }, batches: { type: "string" }, seed: { type: "string", default: String(defaultSeed) } },
  });
  const corpus = new Corpus(kind, Number(values.seed));
  if (values.batches === undefined) console.log(corpus.batch(Number(values.count)).join("\n"));
  else for (const language of roomsOf(Number(values.batches))) console.log(pushOf(corpus.batch(Number(values.count), language)));
}
