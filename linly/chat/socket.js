// The live picture through one websocket, where WebRTC cannot connect: same use as linlyLive (live.js, loaded before).
//
//   const live = await linlySocket(video, {path: "/live/socket", microphone: true, options: {...}, on: event => ...});
//
// linlyPlayer(video) shows a stream that comes piece by piece; it stays close to the newest picture.
(() => {
  const NEAR = 0.12, FAR = 0.4, TOO_FAR = 1.5; // seconds behind the newest picture: kept, caught up with, skipped
  const KEPT = 8; // seconds that have been shown and may stay in memory
  const PIECE = 640; // samples of the microphone in one message, at least
  const WAIT_MS = 60000; // the server may have to load a voice and a portrait first
  const {failure, microphone, hushing, shown} = linlyLive.parts;

  window.linlyPlayer = (video) => {
    const Source = window.ManagedMediaSource || window.MediaSource;
    if (!Source) throw failure("unsupported", "This browser has no Media Source Extensions.");
    const source = new Source();
    const queue = []; // pieces, and the beginnings of streams between them
    let buffer = null;
    video.disableRemotePlayback = true; // or Safari's ManagedMediaSource never opens
    video.srcObject = null;
    video.src = URL.createObjectURL(source);
    source.addEventListener("sourceopen", next);

    function next() {
      if (source.readyState !== "open" || buffer?.updating || !queue.length) return;
      const item = queue.shift();
      try {
        if (item.mime) begin(item);
        else buffer.appendBuffer(item);
      } catch (error) {
        if (error.name !== "QuotaExceededError") throw error;
        queue.unshift(item);
        buffer.remove(0, Math.max(0.1, video.currentTime - 1));
      }
    }
    function begin({mime, start}) {
      if (!buffer) {
        buffer = source.addSourceBuffer(mime);
        buffer.addEventListener("updateend", () => { follow(); next(); });
      } else {
        buffer.abort();
      }
      buffer.timestampOffset = start;
      next();
    }
    function follow() {
      const ranges = buffer.buffered;
      if (!ranges.length) return;
      const begins = ranges.start(ranges.length - 1), end = ranges.end(ranges.length - 1);
      const behind = end - video.currentTime;
      if (video.currentTime < begins || behind > TOO_FAR) video.currentTime = Math.max(begins, end - NEAR);
      video.playbackRate = behind > FAR ? 1.08 : 1;
      if (video.paused) video.play().catch(() => {});
      if (ranges.start(0) < video.currentTime - 2 * KEPT && !buffer.updating) buffer.remove(0, video.currentTime - KEPT);
    }
    return {
      stream: (event) => { queue.push(event); next(); },
      data: (piece) => { queue.push(piece); next(); },
      close: () => { queue.length = 0; URL.revokeObjectURL(video.src); video.removeAttribute("src"); video.load(); },
    };
  };

  // The microphone's samples, as they come.
  const WORKLET = `registerProcessor("linly-ears", class extends AudioWorkletProcessor {
    constructor() { super(); this.kept = new Int16Array(${PIECE}); this.count = 0; }
    process([[samples]]) {
      for (const sample of samples || []) {
        this.kept[this.count++] = 32767 * Math.max(-1, Math.min(1, sample));
        if (this.count === ${PIECE}) { this.port.postMessage(this.kept.slice()); this.count = 0; }
      }
      return true;
    }
  });`;

  async function listened(track, context, give) {
    const address = URL.createObjectURL(new Blob([WORKLET], {type: "text/javascript"}));
    await context.audioWorklet.addModule(address);
    URL.revokeObjectURL(address);
    const ears = new AudioWorkletNode(context, "linly-ears", {numberOfOutputs: 0});
    ears.port.onmessage = ({data}) => give(data.buffer);
    context.createMediaStreamSource(new MediaStream([track])).connect(ears);
    if (context.state === "suspended") await context.resume();
  }

  window.linlySocket = async (video, {path = "/live/socket", microphone: wanted = true, options = {}, on = () => {}} = {}) => {
    const [track, state] = await microphone(wanted);
    const player = window.linlyPlayer(video);
    const context = track && new AudioContext();
    const address = new URL(path, document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    const {hush, speakAgain} = hushing(video);
    const began = performance.now();
    let over = false;

    const send = (event) => { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(event)); };
    const close = () => {
      if (over) return;
      over = true;
      removeEventListener("pagehide", close);
      track?.stop();
      context?.close();
      socket.close();
      player.close();
    };
    addEventListener("pagehide", close);
    let timer;
    const first = shown(video);
    try {
      await new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(failure("timeout", "No connection came about.")), WAIT_MS);
        first.then(resolve);
        socket.onopen = () => send({type: "offer", rate: context?.sampleRate || 16000, options});
        socket.onclose = () => {
          reject(failure("refused", "The server ended the connection."));
          if (!over) on({type: "lost"});
          close();
        };
        socket.onmessage = ({data}) => {
          if (typeof data !== "string") { player.data(data); return; }
          const event = JSON.parse(data);
          if (event.type === "stream") { player.stream(event); return; }
          if (event.type === "refused") { over = true; reject(failure("refused", event.text)); return; }
          if (event.type === "hush") hush();
          else if (event.type === "caption") speakAgain();
          on(event);
        };
      });
      if (track) await listened(track, context, (piece) => { if (socket.readyState === WebSocket.OPEN) socket.send(piece); });
    } catch (error) {
      over = false;
      close();
      throw error.why ? error : failure("refused", error.message);
    } finally {
      clearTimeout(timer);
    }
    on({type: "connected", first_frame_s: (performance.now() - began) / 1000, microphone: state, socket: true});
    return {
      send, close,
      microphone: state,
      stop: () => { hush(); send({type: "stop"}); },
      mute: (muted) => { if (track) track.enabled = !muted; },
    };
  };
})();
