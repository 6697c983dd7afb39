/** A figure of the sequential test: the mean skill since the first block of days, with its confidence sequence. */

import { element } from "./dom.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [720, 180, 44, 22];
const SVG = "http://www.w3.org/2000/svg";

/** `skill` is the sequential test of a scorecard with at least two blocks. */
export function skillFigure({ blocks, evaluatedMean }) {
  const means = [...blocks.flatMap(({ low, high }) => [low, high]), evaluatedMean ?? 0, 0].filter(Number.isFinite);
  const [least, most] = [Math.max(-1.5, Math.min(...means)), Math.min(1.5, Math.max(...means))];
  const x = (at) => LEFT + (at / (blocks.length - 1)) * (WIDTH - LEFT - 6);
  const y = (value) => 6 + ((most - Math.min(most, Math.max(least, value))) / (most - least)) * (HEIGHT - BOTTOM - 6);
  const points = (key) => blocks.map((block, at) => `${x(at).toFixed(1)},${y(block[key]).toFixed(1)}`);
  const level = (value, name) => svg("line", { class: name, x1: LEFT, x2: WIDTH - 6, y1: y(value), y2: y(value) });
  const label = (value) => svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(2));
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "The mean skill with its confidence sequence" },
    svg("polygon", { class: "sequence", points: [...points("high"), ...points("low").reverse()].join(" ") }),
    level(0, "zero"),
    ...(evaluatedMean === null ? [] : [level(evaluatedMean, "evaluated")]),
    svg("polyline", { class: "mean", points: points("mean").join(" ") }),
    ...[least, most].map(label),
    svg("text", { x: LEFT, y: HEIGHT - 4 }, blocks[0].firstDay),
    svg("text", { x: WIDTH - 6, y: HEIGHT - 4, "text-anchor": "end" }, blocks.at(-1).firstDay),
  );
  const caption = "The mean skill so far (line), where it is with 95 % probability at all times together (area), and as evaluated (dashed).";
  return element("figure", { class: "skill" }, picture, element("figcaption", { class: "note" }, caption));
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
