/** A figure with a line over days, an area around it, and levels to compare it with. */

import { element } from "./dom.js";
import { decimalText } from "./format.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 180, 50, 6, 6, 22];
const SVG = "http://www.w3.org/2000/svg";

/**
 * `days` and `values` have at least two elements; `area` has two lists, of low and high bounds; `levels` are pairs of a class and a value.
 * `range` limits the vertical axis.
 */
export function lineFigure({ days, values, area = null, levels = [], range = [-Infinity, Infinity], decimals, caption }) {
  const shown = [...values, ...(area ?? []).flat(), ...levels.map(([, value]) => value)].filter(Number.isFinite);
  const [least, most] = [Math.max(range[0], Math.min(...shown)), Math.min(range[1], Math.max(...shown))];
  const x = (at) => LEFT + (at / (days.length - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + ((most - Math.min(most, Math.max(least, value))) / (most - least || 1)) * (HEIGHT - TOP - BOTTOM);
  const points = (each) => each.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  const level = ([name, value]) => svg("line", { class: name, x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) });
  const label = (value, offset) => svg("text", { x: LEFT - 6, y: y(value) + offset, "text-anchor": "end" }, decimalText(value, decimals));
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": caption },
    ...(area ? [svg("polygon", { class: "area", points: [...points(area[1]), ...points(area[0]).reverse()].join(" ") })] : []),
    ...levels.map(level),
    svg("polyline", { class: "line", points: points(values).join(" ") }),
    label(most, 8),
    label(least, 0),
    svg("text", { x: LEFT, y: HEIGHT - 5 }, days[0]),
    svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 5, "text-anchor": "end" }, days.at(-1)),
  );
  return element("figure", {}, picture, element("figcaption", { class: "note" }, caption));
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
