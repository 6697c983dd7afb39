/** Light or dark: as the system says, or as chosen. */

import { byId } from "./dom.js";

const CHOICES = ["system", "light", "dark"];
const STORED = "coinfarm-theme";
const colours = new Map();

/** Call `onChange` after each change of the colours. */
export function startTheme(onChange) {
  const button = byId("theme");
  let choice = stored();
  const apply = () => {
    if (choice === "system") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset.theme = choice;
    colours.clear();
    button.title = `Colours: ${choice}`;
    button.setAttribute("aria-label", `Colours: ${choice}`);
    onChange();
  };
  button.addEventListener("click", () => {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    remember(choice);
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  apply();
}

/** The present value of a colour of the style sheet, such as `blue`, with an opacity. */
export function colour(name, opacity = 1) {
  const key = `${name}/${opacity}`;
  if (!colours.has(key)) colours.set(key, computedColour(name, opacity));
  return colours.get(key);
}

/** Canvases need the value itself, which only an element's computed style has. */
function computedColour(name, opacity) {
  const { style } = document.body;
  style.setProperty("outline-color", `rgb(from var(--${name}) r g b / ${opacity})`);
  const [red, green, blue, alpha = "1"] = getComputedStyle(document.body).outlineColor.match(/[\d.e-]+/g);
  style.removeProperty("outline-color");
  const channels = [red, green, blue].map((value) => Math.round(255 * Number(value)));
  return `rgba(${channels.join(", ")}, ${alpha})`;
}

function stored() {
  try {
    const choice = localStorage.getItem(STORED);
    return CHOICES.includes(choice) ? choice : "system";
  } catch {
    return "system"; // storage is blocked
  }
}

function remember(choice) {
  try {
    localStorage.setItem(STORED, choice);
  } catch {
    // it holds for this visit only
  }
}
