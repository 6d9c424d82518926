// The Chat tab: the person, the microphone, the words. The connection itself is live.js, or socket.js where that fails.
//
// The page calls linlyChat.start(options) and linlyChat.set(name, value); all words come from window.linlyWords.
(() => {
  const WAY = new URLSearchParams(location.search).get("live"); // "socket": as if WebRTC could not connect
  const say = (key, values = {}) =>
    Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value),
      (window.linlyWords[window.linlyLang] || window.linlyWords.en)[key] || key);
  const make = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const shows = {figures: false, mood: false, hands_free: true, captions: true};
  let live = null; // the connection, once it stands
  let starting = false;
  let answer = null; // the transcript's entry that is being said
  let asking = null; // the one that is being heard
  let state = "off";
  let mode = "talk"; // or "speak": what is typed is said, see speak_for.js

  // what is seen

  const video = make("video", {id: "live-video", autoplay: true, playsInline: true});
  const pill = make("div", {id: "live-state", className: "live-pill"});
  const figures = make("div", {id: "live-figures", className: "live-pill live-figures"});
  const caption = make("div", {id: "live-caption", lang: ""});
  const begin = make("button", {id: "live-start", type: "button", className: "live-start"});
  const stage = make("div", {id: "live-stage"}, video, pill, figures, caption, begin);
  const microphone = make("button", {id: "live-mic", type: "button", className: "live-mic"});
  const input = make("input", {id: "live-text", type: "text", maxLength: 2000, autocomplete: "off"});
  const send = make("button", {id: "live-send", type: "submit", className: "live-button primary"});
  const stop = make("button", {id: "live-stop", type: "button", className: "live-button"});
  const end = make("button", {id: "live-end", type: "button", className: "live-button"});
  const form = make("form", {id: "live-form"}, microphone, input, send, stop, end);
  const line = make("div", {id: "live-note", className: "note", role: "status"});
  const whole = make("a", {id: "live-whole", download: "", hidden: true}); // the conversation as a video, once it has ended
  const controls = make("div", {id: "live-controls"}, form, line, whole);
  const log = make("ol", {id: "live-log", role: "log"});
  log.setAttribute("aria-live", "polite");
  microphone.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 1 0-7 0v5A3.5 3.5 0 0 0 12 15Zm6-3.5a6 6 0 0 1-12 0H4a8 8 0 0 0 7 7.9V22h2v-2.6a8 8 0 0 0 7-7.9Z"/></svg>';

  const places = {"live": stage, "live-below": controls, "live-words": log};
  function settle() { // gradio may make its part of the page anew: ours is put back
    for (const [id, own] of Object.entries(places)) {
      const place = document.getElementById(id);
      if (place && own.parentNode !== place) place.replaceChildren(own);
    }
  }

  let lineKey = ["live_hint", {}, ""];
  const note = (key, values = {}, kind = "") => { lineKey = [key, values, kind]; worded(); };
  const silent = () => !live || live.microphone !== "on" || muted;
  let muted = false;

  function worded() {
    const [key, values, kind] = lineKey;
    line.className = `note ${kind}`;
    line.textContent = key ? say(key, values) : "";
    begin.textContent = say(starting ? "live_starting" : mode === "speak" ? "live_start_speak" : "live_start");
    send.textContent = say("live_send");
    stop.textContent = say("live_stop");
    end.textContent = say("live_end");
    whole.textContent = say("live_whole");
    whole.hidden = Boolean(live) || !whole.hasAttribute("href");
    input.placeholder = say("live_type");
    input.ariaLabel = say("live_type");
    log.ariaLabel = say("live_log");
    log.dataset.empty = say("live_empty");
    const doing = state === "pausing" ? "speaking" : asking ? "listening" : state;
    const shown = live && doing === "idle" && mode === "talk" ? (silent() ? "muted" : shows.hands_free ? "idle" : "hold") : doing;
    pill.textContent = say(`live_state_${shown}`);
    stage.dataset.state = microphone.dataset.state = live ? shown : "off";
    microphone.ariaLabel = microphone.title =
      say(shows.hands_free ? (silent() ? "live_mic_on" : "live_mic_off") : "live_mic_hold");
    microphone.setAttribute("aria-pressed", String(!silent()));
    begin.hidden = Boolean(live);
    begin.disabled = starting;
    for (const one of [input, send, stop, end]) one.disabled = !live;
    for (const one of [input, send, microphone]) one.hidden = mode === "speak";
    microphone.disabled = !live || live.microphone !== "on";
    caption.hidden = !shows.captions || !caption.textContent;
    figures.hidden = !shows.figures || !figures.textContent;
  }

  // the transcript

  function entry(who) {
    const text = make("p");
    const made = make("li", {className: `said ${who}`}, text);
    log.append(made);
    made.scrollIntoView({block: "nearest"});
    return made;
  }
  const words = (of, text) => { of.querySelector("p").textContent = text; of.scrollIntoView({block: "nearest"}); };
  const beside = (of, kind, ...what) => of.append(make("small", {className: kind}, ...what));

  const seconds = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));
  function reported(turn) {
    const shown = answer;
    answer = null;
    if (!shown) return;
    words(shown, turn.reply || "…");
    if (turn.stopped) shown.classList.add("cut");
    if (turn.error) beside(shown, "bad", turn.error);
    for (const source of turn.sources || []) beside(shown, "source", say("live_source", {what: source}));
    if (turn.video) {
      const link = make("a", {href: `live/${turn.video}`, download: "", textContent: say("live_video")});
      beside(shown, "video", link);
    }
    if (turn.heard) {
      const told = say("live_figures", {
        text: seconds(turn.text_s), token: seconds(turn.token_s), clause: seconds(turn.clause_s),
        sound: seconds(turn.sound_s), frame: seconds(turn.frame_s), gaps: seconds(turn.gaps_s),
      });
      beside(shown, "times", told);
      figures.textContent = say("live_latency", {s: seconds(turn.sound_s)});
    }
    document.getElementById("chat-turned")?.click(); // what is remembered may have changed
  }

  // what the server tells

  let fading = 0;
  const told = {
    ready: (event) => {
      window.linlyChat.conversation = event.conversation;
      if (event.whole) whole.href = `live/${event.whole}`;
      else whole.removeAttribute("href");
      const usual = mode === "speak" ? "live_ready_speak" : event.remembers ? "live_ready" : "live_ready_nobody";
      note(event.says ? "live_less" : usual,
        {what: event.says, name: event.name, w: event.size[0], h: event.size[1], fps: event.fps});
    },
    state: (event) => { state = event.state; },
    partial: (event) => {
      if (!event.text) { asking?.remove(); asking = null; return; }
      asking = asking || entry("user partial");
      words(asking, event.text);
    },
    heard: (event) => {
      asking = asking || entry("user");
      asking.classList.remove("partial");
      asking.lang = event.language;
      words(asking, event.text);
      asking = answer = null;
    },
    mood: (event) => {
      if (shows.mood && asking) beside(asking, "mood", say(`live_mood_${event.mood}`));
      else if (shows.mood) {
        const last = log.querySelector("li.user:last-of-type");
        if (last) beside(last, "mood", say(`live_mood_${event.mood}`));
      }
    },
    caption: (event) => {
      if (!event.text.trim()) return;
      clearTimeout(fading);
      caption.textContent = event.text;
      fading = setTimeout(() => { caption.textContent = ""; worded(); }, 1000 * event.seconds + 1500);
      if (mode === "speak") return;
      answer = answer || entry("person");
      const before = answer.querySelector("p").textContent;
      const apart = before && /[\x21-\x7e]$/.test(before) ? " " : "";
      words(answer, before + apart + event.text.trim());
    },
    hush: () => { caption.textContent = ""; },
    reply: (event) => { if (event.text || event.error) { answer = answer || entry("person"); words(answer, event.text); } },
    turn: reported,
    error: (event) => note("live_error", {what: event.text}, "bad"),
    ended: (event) => { note("live_ended", {what: event.text || ""}, "bad"); over(); },
    lost: () => { note("live_lost", {}, "bad"); over(); },
    silenced: () => note("live_silenced", {}, "bad"),
    connected: () => {},
  };
  const on = (event) => {
    window.linlyChat.events.push({...event, at: performance.now()});
    if (window.linlyChat.events.length > 500) window.linlyChat.events.shift();
    if (mode === "speak") window.linlySpeakFor?.onEvent(event);
    if (mode === "talk" || !["partial", "heard", "reply", "turn"].includes(event.type)) told[event.type]?.(event);
    worded();
  };

  // connecting and parting

  async function connected(options) {
    const shown = {path: "live", microphone: mode === "talk", options, on};
    if (WAY === "socket") return socketed(shown);
    try {
      return await window.linlyLive(video, shown);
    } catch (error) {
      if (error.why === "refused") throw error;
      note("live_socket");
      return socketed(shown);
    }
  }

  async function socketed(shown) {
    const stands = await window.linlySocket(video, {...shown, path: "live/socket"});
    note("live_socket");
    return stands;
  }

  async function start(options) {
    if (live || starting) return;
    starting = true;
    note("live_wait");
    try {
      live = await connected({...options, user: user(), hands_free: shows.hands_free});
      state = state === "off" ? "idle" : state;
      if (live.microphone === "denied") note("live_denied", {}, "bad");
      if (live.microphone === "missing") note("live_missing", {}, "bad");
      input.disabled = false;
      if (mode === "speak") window.linlySpeakFor.attach(live);
      else input.focus();
    } catch (error) {
      note("live_failed", {what: error.message || say(`live_failed_${error.why}`)}, "bad");
    }
    starting = false;
    worded();
  }

  function over() {
    live?.close();
    if (mode === "speak") window.linlySpeakFor?.detach();
    live = null;
    state = "off";
    muted = false;
    answer = asking = null;
    caption.textContent = "";
    worded();
    document.getElementById("chat-turned")?.click();
  }

  function set(name, value) {
    shows[name] = value;
    log.classList.toggle("with-figures", shows.figures);
    if (name === "hands_free" && live) live.send({type: "hands_free", on: value});
    worded();
  }

  function turn(to) {
    if (to !== mode && live) over();
    mode = to;
    worded();
    return to;
  }

  // what the visitor does

  let held = false;
  const hold = () => { if (live && !held && !shows.hands_free) { held = true; live.send({type: "hold"}); microphone.classList.add("held"); } };
  const release = () => { if (held) { held = false; live?.send({type: "release"}); microphone.classList.remove("held"); } };
  begin.onclick = () => window.linlyChatConnect();
  end.onclick = () => { note("live_parted"); over(); };
  stop.onclick = () => live?.stop();
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text || !live) return;
    live.send({type: "text", text});
    input.value = "";
  };
  microphone.onclick = () => {
    if (!shows.hands_free || !live) return;
    muted = !muted;
    live.mute(muted);
    worded();
  };
  microphone.onpointerdown = hold;
  for (const kind of ["pointerup", "pointercancel", "blur"]) addEventListener(kind, release);
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");
  addEventListener("keydown", (event) => {
    if (!live || !stage.offsetParent) return;
    if (event.key === "Escape") live.stop();
    if (mode === "talk" && event.code === "Space" && !typing(event.target)) { event.preventDefault(); if (!event.repeat) hold(); }
  });
  addEventListener("keyup", (event) => event.code === "Space" && release());
  addEventListener("linly-lang", worded);

  function user() { // whom the memory is about: a secret of this browser's; nobody, where it keeps none
    try {
      let known = localStorage.getItem("linly-user");
      if (!known) localStorage.setItem("linly-user", known = [...crypto.getRandomValues(new Uint8Array(24))]
        .map((byte) => byte.toString(16).padStart(2, "0")).join(""));
      return known;
    } catch { return ""; }
  }

  window.linlyChatConnect = () => document.getElementById("chat-go")?.click();
  window.linlyChat = {start, user, set, mode: turn, stop: over, events: [], conversation: "", get live() { return live; }};
  new MutationObserver(settle).observe(document.documentElement, {childList: true, subtree: true});
  settle();
  worded();
})();
