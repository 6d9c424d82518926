// "Speak for me": typing, suggestions, phrase book and recent phrases, all by keys. Fills <div id="speak-for">.
//
//   linlySpeakFor.configure({user, lang});  linlySpeakFor.attach(live);  linlySpeakFor.onEvent(event);
//   linlySpeakFor.detach();
//
// Nothing is said but by Enter, "Say it", or, word by word, the end of a word that was typed. A suggestion or a phrase
// only comes into the field. What cannot be said stays there.
(() => {
  const {words: WORDS, prefix, connect} = window.linlySpeakForGiven;
  const OPTIONS = "linly-speak-for";
  const LETTERS = "abcdefghijklmnopqrstuvwxyz";
  const END = /[\s.,!?;:。，！？；：、…]/;
  let user = "", lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
  let live = null, root = null, parts = {}, book = [], recent = [], guesses = [], open = null, editing = false;
  let spoken = 0, back = -1, asked = 0, timer = 0, composing = false, waiting = 0, scanner = 0, lit = -1, sure = false;
  let unsaid = []; // sent and not said yet: comes back into the field where the connection is lost
  let settings = {size: 1, contrast: false, words: false, private: false, rate: 1, scan: false, pace: 1.5};
  try { settings = {...settings, ...JSON.parse(localStorage.getItem(OPTIONS) || "{}"), words: false, scan: false}; }
  catch { /* a browser that keeps nothing */ }

  const t = (key, given = {}) => WORDS[key][lang === "zh" ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => given[name]);
  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") made.addEventListener("click", value);
      else if (name === "class") made.className = value;
      else if (value !== null) made.setAttribute(name, value);
    }
    made.append(...children); // text stays text
    return made;
  };
  const button = (key, on, more = {}) => make("button", {type: "button", on, ...more}, t(key));

  async function ask(what, body = {}) {
    if (!user) return null;
    try {
      const answer = await fetch(`${prefix}/${what}`, {
        method: "POST", headers: {"Content-Type": "application/json", "X-Linly-User": user},
        body: JSON.stringify({...body, language: lang}),
      });
      const told = await answer.json();
      if (answer.ok) return told;
      tell(typeof told.detail === "string" ? told.detail : t("sf_trouble"), true);
    } catch { tell(t("sf_trouble"), true); }
    return null;
  }

  function tell(text, bad = false) {
    parts.status.textContent = text;
    parts.status.classList.toggle("bad", bad);
  }
  function keep() {
    try { localStorage.setItem(OPTIONS, JSON.stringify(settings)); } catch { /* not kept then */ }
    root.className = `size-${settings.size}${settings.contrast ? " contrast" : ""}`;
  }
  const send = (event) => live.send(settings.private ? {...event, private: true} : event);
  function connected() {
    if (live) return true;
    tell(t("sf_off"), true);
    return false;
  }

  // What is said.
  function say() {
    const text = parts.text.value;
    if (!connected()) return;
    if (settings.words && spoken) {
      send({type: "word", text: text.slice(spoken).trim(), last: true});
    } else if (text.trim()) {
      unsaid.push(text.trim());
      send({type: "say", text: text.trim()});
    } else return;
    put("");
  }
  // Word by word: only what was typed at the end of the field; what has been said can no longer be changed.
  function follow() {
    if (!settings.words || composing || !live) return;
    const text = parts.text.value;
    if (text.length < spoken) spoken = text.length;
    let end = text.length;
    while (end > spoken && !END.test(text[end - 1]) && !/[\u3400-\u9fff]/.test(text[end - 1])) end--;
    const piece = text.slice(spoken, end);
    if (piece.trim()) send({type: "word", text: piece.trim()});
    if (piece.trim()) spoken = end;
  }
  function stop() { live?.stop ? live.stop() : live?.send({type: "stop"}); }
  function simple(type) { if (connected()) live.send({type}); }

  function put(text) {
    parts.text.value = text;
    if (!text) spoken = 0;
    spoken = Math.min(spoken, text.length);
    parts.text.focus();
    parts.text.setSelectionRange(text.length, text.length);
    suggest();
  }
  function take(number) {
    const guess = guesses[number];
    if (!guess) return;
    const at = parts.text.selectionStart, after = parts.text.value.slice(at);
    const before = parts.text.value.slice(0, spoken);
    if (!guess.value.startsWith(before)) return; // its beginning has been said already in other words
    put(guess.value + after);
    parts.text.setSelectionRange(guess.value.length, guess.value.length);
    if (guess.kind === "word") follow(); // a whole phrase waits for Enter
  }
  async function suggest() {
    const number = ++asked;
    const told = await ask("suggest", {text: parts.text.value.slice(0, parts.text.selectionStart).slice(-1000)});
    if (!told || number !== asked) return;
    const cut = parts.text.value.slice(0, parts.text.selectionStart).slice(0, -1000);
    guesses = told.suggestions.map((guess) => ({...guess, value: cut + guess.value}));
    parts.guesses.replaceChildren(...guesses.map((guess, n) => make("button", {
      type: "button", class: guess.kind, "aria-keyshortcuts": `Alt+${n + 1}`, on: () => take(n),
    }, make("kbd", {"aria-hidden": "true"}, String(n + 1)), guess.text)));
  }
  const later = () => { clearTimeout(timer); timer = setTimeout(suggest, 25); };

  // The phrase book and what was said lately.
  const categories = () => [...new Set(book.map((phrase) => phrase.category))];
  async function load() {
    if (!user) return; // it comes by configure
    const [told, said] = [await ask("book"), await ask("recent")];
    if (told) book = told.phrases;
    if (said) recent = said.recent;
    if (open === null || (open !== "" && !categories().includes(open))) open = categories()[0] ?? "";
    drawBook();
    suggest();
  }
  function choose(category) { open = category; sure = false; drawBook(); }
  async function change(what, body) { await ask(what, body); await load(); }
  function row(item, kind) {
    const first = make("button", {type: "button", class: "phrase", on: () => put(joined(item.text))}, item.text);
    const more = [];
    if (editing && kind === "book") {
      more.push(
        button("sf_change", async () => { const text = parts.text.value.trim();
          if (!text) { put(item.text); return; } await change("edit", {id: item.id, text}); put(""); }),
        button("sf_earlier", () => change("move", {id: item.id, by: -1})),
        button("sf_later", () => change("move", {id: item.id, by: 1})),
        button("sf_remove", () => change("remove", {id: item.id})),
      );
    } else if (editing) more.push(button("sf_erase", () => change("forget", {id: item.id})));
    more.forEach((one) => one.setAttribute("aria-label", `${one.textContent}: ${item.text}`));
    return make("li", {}, first, ...more);
  }
  // In the empty field a phrase stands alone; behind typed words it follows them.
  function joined(text) {
    const before = parts.text.value.trimEnd();
    return before ? before + (/[\u3000-\u9fff，。！？]$/.test(before) ? "" : " ") + text : text;
  }
  function drawBook() {
    parts.tabs.replaceChildren(...categories().map((name, n) => make("button", {
      type: "button", "aria-pressed": String(open === name), "aria-keyshortcuts": `Alt+${LETTERS[n]}`,
      on: () => choose(name),
    }, make("kbd", {"aria-hidden": "true"}, LETTERS[n]?.toUpperCase() ?? ""), name)),
      button("sf_recent", () => choose(""), {"aria-pressed": String(open === "")}));
    const items = open === "" ? recent : book.filter((phrase) => phrase.category === open);
    parts.list.replaceChildren(...items.map((item) => row(item, open === "" ? "recent" : "book")));
    if (!items.length) parts.list.append(make("li", {class: "none"}, t("sf_recent_none")));
    const tools = [button(editing ? "sf_done" : "sf_edit", () => { editing = !editing; sure = false; drawBook(); })];
    if (editing && open !== "") {
      parts.category ??= make("input", {type: "text", maxlength: "60"});
      parts.category.placeholder = t("sf_new_category");
      parts.category.setAttribute("aria-label", t("sf_new_category"));
      tools.push(button("sf_add", async () => {
        const text = parts.text.value.trim(), category = parts.category.value.trim() || open;
        if (!text) { tell(t("sf_add_first"), true); return; }
        if (await ask("add", {text, category})) { open = category; parts.category.value = ""; put(""); await load(); }
      }), parts.category);
    } else if (editing && recent.length) {
      tools.push(button("sf_erase_all", () => {
        if (sure) { sure = false; change("forget", {all: true}); } else { sure = true; tell(t("sf_erase_sure")); }
      }));
    }
    parts.tools.replaceChildren(...tools);
  }
  function recall(step) {
    back = Math.max(-1, Math.min(recent.length - 1, back + step));
    spoken = 0; // recalled, not typed: only Enter says it
    put(back < 0 ? "" : recent[back].text);
  }

  // One switch: the targets light up in turn, the space bar takes the lit one.
  const targets = () => [...root.querySelectorAll("button:not([disabled])")].filter((one) => one.offsetParent);
  function scan(on) {
    settings.scan = on;
    clearInterval(scanner);
    root.querySelectorAll(".lit").forEach((one) => one.classList.remove("lit"));
    lit = -1;
    if (!on) return;
    parts.text.blur();
    scanner = setInterval(() => {
      const all = targets();
      root.querySelectorAll(".lit").forEach((one) => one.classList.remove("lit"));
      lit = (lit + 1) % all.length;
      all[lit].classList.add("lit");
      all[lit].scrollIntoView({block: "nearest"});
    }, settings.pace * 1000);
  }

  function key(event) {
    if (!root?.offsetParent) return;
    if (settings.scan && event.key === " ") {
      event.preventDefault();
      const chosen = root.querySelector(".lit");
      lit = -1;
      if (chosen && !event.repeat) { chosen.click(); parts.text.blur(); }
      return;
    }
    if (event.key === "Escape") {
      if (parts.help.open) parts.help.close(); else stop();
      return;
    }
    if (!root.contains(event.target)) return;
    if (event.key === "F2") { event.preventDefault(); simple("again"); }
    if (event.key === "F4" && !event.altKey) { event.preventDefault(); simple("attention"); }
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const digit = /^Digit([1-6])$/.exec(event.code), letter = /^Key([A-Z])$/.exec(event.code);
    const name = letter && categories()[LETTERS.indexOf(letter[1].toLowerCase())];
    const arrow = {ArrowUp: 1, ArrowDown: -1}[event.key];
    if (digit) take(Number(digit[1]) - 1);
    else if (name) { choose(name); parts.list.querySelector("button")?.focus(); }
    else if (arrow) recall(arrow);
    else return;
    event.preventDefault();
  }
  function typed(event) {
    if (event.isComposing || event.keyCode === 229) return; // the input method's own Enter
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && !event.ctrlKey) {
      event.preventDefault();
      if (!event.repeat) say();
    } else if (event.key === "Tab" && !event.shiftKey && guesses.length && parts.text.value) {
      event.preventDefault();
      take(0);
    } else if (event.key === "F6") { event.preventDefault(); parts.guesses.querySelector("button")?.focus(); }
    else if (event.key === "?" && !parts.text.value) { event.preventDefault(); help(); }
  }
  function help() { if (!parts.help.open) parts.help.showModal(); }

  function toggle(name, key, changed = () => {}) {
    const box = make("input", {type: "checkbox"});
    box.checked = settings[name];
    box.addEventListener("change", () => { settings[name] = box.checked; keep(); changed(box.checked); });
    return make("label", {title: WORDS[`${key}_hint`] ? t(`${key}_hint`) : null}, box, t(key));
  }
  function range(name, key, steps) {
    const select = make("select", {"aria-label": t(key)});
    for (const [value, shown] of steps) select.append(make("option", {value}, shown));
    select.value = String(settings[name]);
    select.addEventListener("change", () => {
      settings[name] = Number(select.value);
      keep();
      if (name === "rate") live?.send({type: "style", rate: settings.rate});
      if (name === "pace" && settings.scan) scan(true);
    });
    return make("label", {}, t(key), select);
  }
  function build() {
    const kept = parts.text?.value ?? "";
    clearInterval(scanner);
    parts = {
      status: make("p", {class: "status", role: "status", "aria-live": "polite"}),
      text: make("textarea", {rows: "3", id: "speak-for-text", "aria-label": t("sf_type"), placeholder: t("sf_hint"),
        maxlength: "20000", autocomplete: "off", spellcheck: "false"}),
      guesses: make("div", {class: "guesses", role: "group", "aria-label": t("sf_suggestions")}),
      tabs: make("div", {class: "categories", role: "group", "aria-label": t("sf_book")}),
      list: make("ul", {class: "phrases"}), tools: make("div", {class: "tools"}),
    };
    const lines = ["enter", "line", "esc", "tab", "digit", "letter", "arrow", "f", "f6", "help"];
    parts.help = make("dialog", {"aria-label": t("sf_keys")}, make("h3", {}, t("sf_keys")),
      make("ul", {}, ...lines.map((name) => make("li", {}, t(`sf_key_${name}`)))),
      button("sf_close", () => parts.help.close(), {autofocus: ""}));
    parts.connect = button("sf_start", () => {
      const pressed = document.getElementById(root.dataset.connect);
      if (pressed) pressed.click(); else window[connect]?.();
    }, {class: "primary"});
    parts.text.value = kept;
    parts.text.addEventListener("keydown", typed);
    parts.text.addEventListener("compositionstart", () => { composing = true; });
    parts.text.addEventListener("compositionend", () => { composing = false; follow(); later(); });
    parts.text.addEventListener("input", ({inputType}) => {
      back = -1;
      if (!/Paste|Drop|history/.test(inputType ?? "")) follow();
      later();
    });
    root.replaceChildren(
      make("div", {class: "top"}, parts.status, parts.connect),
      parts.text, parts.guesses,
      make("div", {class: "does"}, button("sf_say", say, {class: "primary"}), button("sf_stop", stop, {class: "halt"}),
        button("sf_again", () => simple("again")),
        button("sf_attention", () => simple("attention"), {title: t("sf_attention_hint")}), button("sf_keys", help)),
      make("div", {class: "options"}, toggle("words", "sf_words", () => { spoken = parts.text.value.length; }),
        toggle("private", "sf_private"), toggle("contrast", "sf_contrast"), toggle("scan", "sf_scan", scan),
        range("size", "sf_size", [1, 2, 3].map((n) => [n, t(`sf_size_${n}`)])),
        range("rate", "sf_rate", [0.7, 0.85, 1, 1.2, 1.4].map((n) => [n, `${n}×`])),
        range("pace", "sf_pace", [0.7, 1, 1.5, 2, 3, 5].map((n) => [n, String(n)]))),
      parts.tabs, parts.list, parts.tools, parts.help);
    keep();
    state();
    load();
  }
  function state() {
    parts.connect.hidden = Boolean(live) || !(connect || root.dataset.connect);
    tell(t(live ? "sf_ready" : "sf_off"));
  }

  window.linlySpeakFor = {
    attach(given) { live = given; live.send({type: "style", rate: settings.rate}); if (root) { state(); parts.text.focus(); } },
    detach() {
      live = null;
      if (!root) return;
      if (unsaid.length) put([...unsaid.splice(0), parts.text.value].join("\n").trim());
      state();
    },
    configure({user: id, lang: wanted}) {
      if (id) user = id;
      const turned = wanted && wanted !== lang;
      if (wanted) lang = wanted;
      if (turned) open = null;
      if (root) turned ? build() : load();
    },
    onEvent(event) {
      if (!root) return;
      if (event.type === "saying") tell(t("sf_saying", {text: event.text}) + (waiting ? ` · ${t("sf_waiting", {n: waiting})}` : ""));
      else if (event.type === "said") {
        const at = unsaid.indexOf(event.text);
        if (at >= 0) unsaid.splice(at, 1);
        if (!settings.private) recent = [{text: event.text}, ...recent.filter((one) => one.text !== event.text)];
        tell(t(waiting ? "sf_waiting" : "sf_said", {n: waiting})); setTimeout(refresh, 400);
      }
      else if (event.type === "waiting") waiting = event.count;
      else if (event.type === "stopped") { unsaid = []; tell(t("sf_stopped")); }
      else if (event.type === "error") {
        const at = unsaid.indexOf(event.lost);
        if (at >= 0) unsaid.splice(at, 1);
        if (event.lost && !parts.text.value) put(event.lost);
        tell(event.lost ? `${event.text} (${event.lost})` : event.text, true);
      } else if (event.type === "lost" || event.type === "ended") window.linlySpeakFor.detach();
    },
  };
  async function refresh() {
    const told = await ask("recent");
    if (told) recent = told.recent;
    if (open === "" && !editing) drawBook();
    suggest();
  }
  document.addEventListener("keydown", key);
  const look = () => {
    const found = document.getElementById("speak-for");
    if (!found || found === root) return;
    root = found;
    build();
  };
  new MutationObserver(look).observe(document.documentElement, {childList: true, subtree: true});
  look();
})();
