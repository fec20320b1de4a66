// Sentences of the translations that are installed on this machine: real language, to check the made one against. They differ between machines.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const folders = { zh: "zh_CN", ja: "ja", ko: "ko", ar: "ar", hi: "hi", pt: "pt_BR", ru: "ru" };
const letters = {
  zh: /\p{Script=Han}/u, ja: /\p{Script=Hiragana}/u, ko: /\p{Script=Hangul}/u, ar: /\p{Script=Arabic}/u,
  hi: /\p{Script=Devanagari}/u, pt: /[a-zà-ú]/u, ru: /\p{Script=Cyrillic}/u, en: /[a-z]/,
};

/** Lists of sentences by language. */
export function translations(root = "/usr/share/locale") {
  const found = {};
  for (const [code, folder] of Object.entries(folders)) found[code] = textsIn(join(root, folder, "LC_MESSAGES"), "translation");
  found.en = textsIn(join(root, "ru", "LC_MESSAGES"), "original");
  return Object.fromEntries(Object.entries(found).map(([code, texts]) => [code, texts.filter(text => isSentence(text, letters[code]))]));
}

/** Without formats, markup, options and names of programs; at least 5 characters. */
const isSentence = (text, script) => script.test(text) && [...text].length >= 5 && !/[%<>_\\|{}=\n\t]|--|[a-z]\.[a-z]/.test(text)
  && (script === letters.en || script === letters.pt || !/[A-Za-z]{3}/.test(text));

function textsIn(folder, which) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter(name => name.endsWith(".mo")).flatMap(name => {
    const file = readFileSync(join(folder, name));
    // GNU gettext's binary format; every file on Debian is little-endian.
    if (file.length < 28 || file.readUInt32LE(0) !== 0x950412de) return [];
    const table = file.readUInt32LE(which === "original" ? 12 : 16);
    return Array.from({ length: file.readUInt32LE(8) }, (_, n) => {
      const [length, at] = [file.readUInt32LE(table + 8 * n), file.readUInt32LE(table + 8 * n + 4)];
      return file.toString("utf8", at, at + length).split("\0")[0];
    });
  });
}
