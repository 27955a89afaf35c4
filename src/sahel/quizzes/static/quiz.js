// The quiz in the browser: shows questions, sends answers to Python, shows what comes back.
// Text from the bank goes in as text nodes only, never as HTML.
// A new type of question needs one function in TYPES; it returns { body, read, write }.

// Milliseconds after which we say that we wait for the kernel, and then that it does not answer.
const PATIENCE = { wait: 500, give_up: 5000 };
const MARKS = { right: "✓", ordered: "✓", wrong: "✗", moved: "↕", partly: "◐", saved: "●", missed: "○" };
let displays = 0; // the same quiz can be on a page twice: element ids must differ

/** Make an element: attributes, then children (strings become text). Functions are event listeners. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  // JupyterLab would take arrow keys and Enter for itself; this says that they belong to the control.
  if (tag === "input" || tag === "button") element.setAttribute("data-lm-suppress-shortcuts", "true");
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
      body: [make("p", { class: "sq-task", id: `${id}-task` }, words[task]), ...labels],
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
  probability,
};

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
  const help = hints(item, words);
  const word = item.type === "probability" ? words.save : words.check;

  function submit(event) {
    event.preventDefault();
    const answer = part.read();
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

  const legend = make("legend", {}, make("strong", {}, item.id), ` ${item.stem}`);
  const actions = make("div", { class: "sq-actions" }, make("button", { type: "submit" }, word), ...help.buttons);
  const fieldset = make(
    "fieldset",
    { class: "sq-item", "aria-describedby": `${id}-task` },
    legend, ...part.body, actions, help.list, status
  );
  return {
    element: make("form", { submit, novalidate: true, "data-item": item.id }, fieldset),
    show(outcome) {
      clearTimeout(timer);
      part.write(outcome);
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
