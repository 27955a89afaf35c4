// The quiz in the browser: shows questions, sends answers to Python, shows what comes back.
// Text from the bank goes in as text nodes only, never as HTML.
// A new type of question needs one function in TYPES; it returns { body, read, write }.

// Milliseconds after which we say that we wait for the kernel, and then that it does not answer.
const PATIENCE = { wait: 500, give_up: 5000 };
const LONG = 30; // letters that a closed select shows on a narrow screen
const MARKS = { right: "✓", ordered: "✓", wrong: "✗", moved: "↕", played: "●", partly: "◐", saved: "●", missed: "○" };
let displays = 0; // the same quiz can be on a page twice: element ids must differ

/** Make an element: attributes, then children (strings become text). Functions are event listeners. */
function make(tag, attributes = {}, ...children) {
  const drawn = ["svg", "path", "title"].includes(tag);
  const element = drawn ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  // JupyterLab would take arrow keys and Enter for itself; this says that they belong to the control.
  if (["input", "button", "select"].includes(tag)) element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.append(...children);
  return element;
}

/** Fill {names} in a sentence. */
function fill(sentence, fields) {
  return sentence.replace(/\{(\w+)\}/g, (all, name) => (name in fields ? String(fields[name]) : all));
}

/** Options as radios (one can be chosen) or checkboxes. */
function options(kind, task) {
  return ({ item, words, id, changed }) => {
    const inputs = item.options.map((_, n) =>
      make("input", { type: kind, name: id, value: n, change: changed })
    );
    const labels = item.options.map((option, n) =>
      make("label", { class: "sq-option" }, inputs[n], make("span", {}, option.text))
    );
    return {
      inputs,
      body: [make("p", { class: "sq-task", id: `${id}-task` }, words[item.played ? "choose_played" : task]), ...labels],
      read() {
        const chosen = inputs.flatMap((input, n) => (input.checked ? [n] : []));
        return chosen.length ? { choice: chosen } : { missing: words.nothing_chosen };
      },
      write(outcome) {
        inputs.forEach((input, n) => (input.checked = outcome.choice.includes(n)));
      },
    };
  };
}

/** Slots that move up and down by buttons; the choice is their order. */
function order({ item, words, id, changed, announce }) {
  const list = make("ol", { class: "sq-slots" });
  const rows = item.slots.map((slot, n) => {
    const buttons = [-1, 1].map((step) => {
      const word = step < 0 ? words.up : words.down;
      const arrow = make("span", { "aria-hidden": "true" }, step < 0 ? "↑ " : "↓ ");
      const name = { "aria-label": `${word}: ${slot.text}` };
      return make("button", { type: "button", ...name, click: (e) => move(n, step, e) }, arrow, word);
    });
    return make("li", {}, make("span", { class: "sq-slot" }, slot.text), make("span", {}, ...buttons));
  });
  let now = rows.map((_, n) => n);

  function show() {
    list.append(...now.map((n) => rows[n]));
  }
  function move(n, step, event) {
    const from = now.indexOf(n);
    const to = from + step;
    const inside = to >= 0 && to < now.length;
    if (inside) {
      [now[from], now[to]] = [now[to], now[from]];
      show();
      event.currentTarget.focus(); // a moved element loses the focus
      changed();
    }
    const place = (inside ? to : from) + 1;
    announce(fill(inside ? words.moved : words.at_end, { text: item.slots[n].text, n: place, total: now.length }));
  }

  show();
  return {
    body: [make("p", { class: "sq-task", id: `${id}-task` }, words.put_in_order), list],
    read: () => ({ choice: [...now] }),
    write(outcome) {
      now = [...outcome.choice];
      show();
    },
  };
}

/** Countries as checkboxes, and beside them a map for the mouse: a click on a country is one on its checkbox. */
function region(context) {
  const { item, words } = context;
  const list = options("checkbox", "choose_countries")(context);
  const [task, ...labels] = list.body;
  const shapes = item.options.map((option, n) =>
    make("path", { d: option.outline, click: () => list.inputs[n].click() }, make("title", {}, option.text))
  );
  const paint = () => shapes.forEach((shape, n) => shape.classList.toggle("sq-chosen", list.inputs[n].checked));
  list.inputs.forEach((input) => input.addEventListener("change", paint));
  const rest = make("path", { d: item.map.rest, class: "sq-rest" });
  const map = make("svg", { viewBox: item.map.box, role: "img", "aria-label": words.map }, rest, ...shapes);
  return {
    body: [task, make("div", { class: "sq-region" }, make("div", {}, ...labels), map)],
    read: list.read,
    write(outcome) {
      list.write(outcome);
      paint();
    },
  };
}

/** Radios under a legend of their own; get gives the position of the chosen one, or -1. */
function radios(name, legend, texts, changed) {
  const inputs = texts.map((_, n) => make("input", { type: "radio", name, value: n, change: changed }));
  const labels = texts.map((text, n) => make("label", { class: "sq-toggle" }, inputs[n], make("span", {}, text)));
  return {
    element: make("fieldset", { class: "sq-group" }, make("legend", {}, legend), ...labels),
    get: () => inputs.findIndex((input) => input.checked),
    set: (chosen) => inputs.forEach((input, n) => (input.checked = n === chosen)),
  };
}

/** A list to choose from, with its label; like radios. */
function select(id, label, texts, changed) {
  const choices = texts.map((text) => make("option", {}, text));
  const box = make("select", { id, change: changed }, make("option", {}, "…"), ...choices);
  return {
    // Not inside its label, which would then be called by every choice in it.
    element: make("div", { class: "sq-pair" }, make("label", { for: id }, label), box),
    get: () => box.selectedIndex - 1,
    set: (chosen) => (box.selectedIndex = chosen + 1),
  };
}

/** Lines that each get one of the choices. A closed select cuts long choices off, so they also stand above. */
function pairs(field, task) {
  return ({ item, words, id, changed }) => {
    const long = field === select && item.choices.some((choice) => choice.length > LONG);
    const texts = item.choices.map((choice, n) => (long ? `${n + 1}. ${choice}` : choice));
    const fields = item.pairs.map((pair, n) => field(`${id}-${n}`, pair.text, texts, changed));
    const above = long ? [make("ul", { class: "sq-choices" }, ...texts.map((text) => make("li", {}, text)))] : [];
    return {
      body: [
        make("p", { class: "sq-task", id: `${id}-task` }, words[task]),
        ...above,
        ...fields.map((one) => one.element),
      ],
      read() {
        const chosen = fields.map((one) => one.get());
        return chosen.includes(-1) ? { missing: words.not_all_chosen } : { choice: chosen };
      },
      write(outcome) {
        fields.forEach((one, n) => one.set(outcome.choice[n]));
      },
    };
  };
}

/** A number with its unit. As text, because a number field silently drops what it cannot read. */
function number({ item, words, id, changed }) {
  const box = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", input: changed });
  const label = make("span", {}, fill(words.number_in, item));
  return {
    body: [
      make("p", { class: "sq-task", id: `${id}-task` }, words.give_number),
      make("label", { class: "sq-field" }, label, box),
    ],
    read() {
      const text = box.value.replace(/\s/g, "").replace("−", "-").replace(",", ".");
      // 1,500 may be fifteen hundred or one and a half: ask, do not guess.
      const plain = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) && !/,\d{3}$/.test(box.value.trim());
      return plain ? { choice: Number(text) } : { missing: words.no_plain_number };
    },
    write(outcome) {
      box.value = outcome.choice;
    },
  };
}

/** A forecast: a slider, the same number typed, and whether the answer was known. */
function probability({ item, words, id, changed }) {
  const slider = make("input", { type: "range", min: 0, max: 100, step: 1, input: () => take(slider, number) });
  const number = make("input", {
    type: "number", min: 0, max: 100, step: 1, inputmode: "numeric", input: () => take(number, slider),
  });
  const known = make("input", { type: "checkbox", change: changed });
  const field = (word, input) => make("label", { class: "sq-field" }, make("span", {}, word), input);

  // The slider stands in the middle at first, but that is no answer: only what was typed or moved is.
  function take(from, to) {
    to.value = from.value === "" ? 50 : from.value;
    changed();
  }

  return {
    body: [
      make("p", { class: "sq-task", id: `${id}-task` }, words.give_probability),
      make("p", {}, fill(words.asked_on, item)),
      make("p", {}, fill(words.rule, item)),
      field(words.slider, slider),
      field(words.number, number),
      make("label", { class: "sq-option" }, known, make("span", {}, words.known)),
    ],
    read() {
      const percent = Number(number.value);
      const whole = number.value !== "" && Number.isInteger(percent) && percent >= 0 && percent <= 100;
      return whole ? { choice: percent, known: known.checked } : { missing: words.no_number };
    },
    write(outcome) {
      slider.value = number.value = outcome.choice;
      known.checked = outcome.known;
    },
  };
}

const TYPES = {
  single: options("radio", "choose_one"),
  multiple: options("checkbox", "choose_all"),
  order,
  match: pairs(select, "match_each"),
  classify: pairs(radios, "classify_each"),
  number,
  region,
  probability,
};

/** How sure, in three levels, each with its marks; nothing where the question does not ask. */
function confidence(item, words, id, changed) {
  if (!item.confidence) return { body: [], read: () => ({}), write() {} };
  const group = radios(`${id}-sure`, words.how_sure, [words.sure_1, words.sure_2, words.sure_3], changed);
  return {
    body: [group.element, make("p", {}, words.why_sure)],
    read: () => (group.get() < 0 ? { missing: words.not_sure_chosen } : { confidence: group.get() + 1 }),
    write: (outcome) => group.set(outcome.confidence - 1),
  };
}

/** Feedback as elements: the verdict in words with a mark, a line a choice, then source and place. */
function feedback(outcome) {
  const mark = (kind) => make("span", { class: "sq-mark", "aria-hidden": "true" }, `${MARKS[kind]} `);
  const lines = outcome.lines.map((line) =>
    make(
      "li",
      { class: `sq-${line.mark}` },
      mark(line.mark),
      ...(line.label ? [make("span", { class: "sq-label" }, line.label), ` (${line.word})`] : []),
      line.label && line.text ? ": " : "",
      line.text
    )
  );
  return [
    make("p", { class: `sq-verdict sq-${outcome.verdict}` }, mark(outcome.verdict), outcome.headline),
    ...(lines.length ? [make("ul", { class: "sq-lines" }, ...lines)] : []),
    ...outcome.foot.map((line) => make("p", { class: "sq-foot" }, line)),
  ];
}

/** Button that shows the hints of a question one at a time, and their list. */
function hints(item, words) {
  const list = make("ol", { class: "sq-hints", "aria-live": "polite" });
  const total = item.hints.length;
  const label = () => fill(words.hint_button, { n: list.children.length + 1, total });
  const button = make("button", {
    type: "button",
    click() {
      const n = list.children.length + 1;
      list.append(make("li", { tabindex: "-1" }, make("strong", {}, fill(words.hint, { n })), ` ${item.hints[n - 1]}`));
      if (n < total) button.textContent = label();
      else {
        button.remove();
        list.lastChild.focus(); // the button is gone: keep the reader's place
      }
    },
  });
  button.textContent = label();
  return { list, buttons: total ? [button] : [], used: () => list.children.length };
}

/** One question as a form; returns its element and how to show an outcome in it. */
function question(item, words, id, send) {
  const status = make("div", { role: "status", "aria-atomic": "false", class: "sq-status" });
  const say = (...nodes) => status.replaceChildren(...nodes);
  const announce = (sentence) => say(make("p", {}, sentence));
  let timer;
  const later = (milliseconds, action) => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };

  const part = TYPES[item.type]({ item, words, id, announce, changed: () => say() });
  const sure = confidence(item, words, id, () => say());
  const help = hints(item, words);
  const word = item.type === "probability" || item.played ? words.save : words.check;

  function submit(event) {
    event.preventDefault();
    const answer = { ...sure.read(), ...part.read() };
    if (answer.missing) return announce(answer.missing);
    say();
    later(PATIENCE.wait, () => {
      announce(words.waiting);
      later(PATIENCE.give_up, () => announce(words.no_kernel));
    });
    try {
      send({ item: item.id, hints: help.used(), ...answer });
    } catch {
      clearTimeout(timer);
      announce(words.no_kernel);
    }
  }

  // JupyterLab takes the Enter that a browser would turn into a submit (but not the keydown before it).
  function keydown(event) {
    const typing = ["text", "number"].includes(event.target.type);
    if (event.key !== "Enter" || !typing || event.shiftKey || event.ctrlKey) return;
    event.preventDefault();
    event.currentTarget.requestSubmit();
  }

  const legend = make("legend", {}, make("strong", {}, item.id), ` ${item.stem}`);
  const actions = make("div", { class: "sq-actions" }, make("button", { type: "submit" }, word), ...help.buttons);
  const fieldset = make(
    "fieldset",
    { class: "sq-item", "aria-describedby": `${id}-task` },
    legend, ...part.body, ...sure.body, actions, help.list, status
  );
  return {
    element: make("form", { submit, keydown, novalidate: true, "data-item": item.id }, fieldset),
    show(outcome) {
      clearTimeout(timer);
      part.write(outcome);
      sure.write(outcome);
      say(...feedback(outcome));
    },
    stop: () => clearTimeout(timer),
  };
}

function render({ model, el }) {
  const words = model.get("words");
  const display = ++displays;
  const notice = make("p", { role: "status", class: "sq-notice" });
  const parts = new Map();
  let tries = {};

  for (const item of model.get("questions")) {
    const id = `sq-${display}-${item.id.replace(".", "-")}`;
    parts.set(item.id, question(item, words, id, (answer) => model.send(answer)));
  }

  // Each answer raises the number of tries, so only the question that was answered is drawn again.
  function showOutcomes() {
    const outcomes = model.get("outcomes");
    for (const [id, outcome] of Object.entries(outcomes)) {
      if (outcome.tries !== tries[id]) parts.get(id)?.show(outcome);
    }
    tries = Object.fromEntries(Object.entries(outcomes).map(([id, outcome]) => [id, outcome.tries]));
  }
  function showNotice() {
    notice.textContent = model.get("notice");
  }

  el.append(make("div", { class: "sahel-quiz" }, notice, ...[...parts.values()].map((part) => part.element)));
  showOutcomes();
  showNotice();
  model.on("change:outcomes", showOutcomes);
  model.on("change:notice", showNotice);
  return () => {
    model.off("change:outcomes", showOutcomes);
    model.off("change:notice", showNotice);
    parts.forEach((part) => part.stop());
  };
}

export default { render };
