/** Short names for the DOM. */

/** The element with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** A new element with attributes and children, which are elements or text. Attributes that are null or false are left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A group of buttons of which one is pressed: `choices` are pairs of value and label. */
export function choiceButtons(label, choices, selected, onChoose) {
  const buttons = choices.map(([value, text]) =>
    element("button", { type: "button", "aria-pressed": String(value === selected), onclick: () => choose(value) }, text),
  );
  function choose(value) {
    choices.forEach(([each], at) => buttons[at].setAttribute("aria-pressed", String(each === value)));
    onChoose(value);
  }
  return element("div", { class: "choice", role: "group", "aria-label": label }, ...buttons);
}
