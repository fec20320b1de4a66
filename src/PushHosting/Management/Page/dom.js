// Makes elements. Text is always set as text, never as HTML: names of rooms come from clients.

const svgNames = new Set(['svg', 'path', 'line', 'rect']);

/** An element with attributes, and with children that are elements or texts. A function is an event's handler. */
export function element(name, attributes = {}, ...children) {
  const made = svgNames.has(name) ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(key, value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

/** Sets a text only if it has changed, so that a selection in it survives and a screen reader stays quiet. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export const byId = id => document.getElementById(id);
