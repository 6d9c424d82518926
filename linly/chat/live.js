// The page's part of the live picture: connects, shows the person, sends the microphone, exchanges events.
//
//   const live = await linlyLive(video, {path: "/live", microphone: true, options: {...}, on: event => ...});
//   live.send({type: "text", text: "Hello"});  live.stop();  live.mute(true);  live.close();
//
// Resolves once the first picture is shown; rejects with an Error whose `why` is "timeout", "refused" or "unsupported"
// where that cannot be (the page then falls back). A microphone that is missing or not allowed is no reason to fail:
// `live.microphone` says "on", "off", "denied" or "missing". Events of the script's own, beside the server's:
// {type: "connected", first_frame_s, microphone}, {type: "lost"}.
(() => {
  const WAIT_MS = 5000; // from the server's answer to the first picture
  const ANSWER_MS = 60000; // the server may have to load a voice and a portrait first
  const HUSH_MS = 400; // longer than sound takes to arrive and be played

  const failure = (why, message) => Object.assign(new Error(message), {why});

  async function microphone(wanted) {
    if (!wanted) return [null, "off"];
    if (!navigator.mediaDevices) return [null, "missing"]; // the page is neither on https nor on this machine
    try {
      const audio = {echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1};
      return [(await navigator.mediaDevices.getUserMedia({audio})).getAudioTracks()[0], "on"];
    } catch (error) {
      return [null, error.name === "NotAllowedError" ? "denied" : "missing"];
    }
  }

  // Host candidates only, so this takes a moment; one that never ends must not hold up the rest.
  const gathered = (peer) => new Promise((resolve) => {
    const look = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", look);
    setTimeout(resolve, 1500);
    look();
  });

  async function signalled(path, peer, options) {
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    const {type, sdp} = peer.localDescription;
    const answer = await fetch(path, {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify({type, sdp, options}),
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw failure("refused", typeof told.detail === "string" ? told.detail : `HTTP ${answer.status}`);
    await peer.setRemoteDescription({type: told.type, sdp: told.sdp});
    return told.id;
  }

  // The first picture that is really shown, not only announced.
  const shown = (video) => new Promise((resolve) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
    else video.addEventListener("timeupdate", resolve, {once: true});
  });

  // What was stopped here or there is still on its way for a moment: it is not let out.
  function hushing(video) {
    let hushed = 0;
    const speakAgain = () => { clearTimeout(hushed); if (hushed) video.muted = false; hushed = 0; };
    const hush = () => {
      if (video.muted && !hushed) return; // the user's own choice
      clearTimeout(hushed);
      video.muted = true;
      hushed = setTimeout(speakAgain, HUSH_MS);
    };
    return {hush, speakAgain};
  }

  window.linlyLive = async (video, {path = "/live", microphone: wanted = true, options = {}, on = () => {}} = {}) => {
    if (!window.RTCPeerConnection) throw failure("unsupported", "This browser has no WebRTC.");
    const [track, state] = await microphone(wanted);
    const peer = new RTCPeerConnection({iceServers: []});
    const stream = new MediaStream();
    const events = peer.createDataChannel("linly", {ordered: true});
    const unsent = [];
    let id = null;
    let over = false;

    const send = (event) => {
      const text = JSON.stringify(event);
      if (events.readyState === "open") events.send(text);
      else if (events.readyState === "connecting") unsent.push(text);
    };
    const close = () => {
      if (over) return;
      over = true;
      removeEventListener("pagehide", close);
      track?.stop();
      peer.close();
      video.srcObject = null;
      if (id) fetch(`${path}/${id}`, {method: "DELETE", keepalive: true}).catch(() => {});
    };
    addEventListener("pagehide", close);
    events.onopen = () => unsent.splice(0).forEach((text) => events.send(text));
    const {hush, speakAgain} = hushing(video);
    events.onmessage = ({data}) => {
      const event = JSON.parse(data);
      if (event.type === "hush") hush();
      else if (event.type === "caption") speakAgain();
      on(event);
    };
    peer.ontrack = ({track: received, receiver}) => {
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0; // as little delay as the network allows
      stream.addTrack(received);
    };
    peer.onconnectionstatechange = () => {
      if (["failed", "closed"].includes(peer.connectionState) && !over) {
        on({type: "lost"});
        close();
      }
    };
    video.srcObject = stream;
    video.play().catch((error) => { // the browser wants a click before it lets anything be heard
      if (error.name === "NotAllowedError") on({type: "silenced"});
    });
    peer.addTransceiver("video", {direction: "recvonly"});
    peer.addTransceiver(track || "audio", {direction: track ? "sendrecv" : "recvonly"});

    const began = performance.now();
    const timers = [];
    const within = (ms, work) => Promise.race([work, new Promise((_, reject) => {
      timers.push(setTimeout(() => reject(failure("timeout", "No connection came about.")), ms));
    })]);
    try {
      const first = shown(video);
      await within(ANSWER_MS, signalled(path, peer, options).then((given) => {
        id = given;
        if (over) fetch(`${path}/${id}`, {method: "DELETE", keepalive: true}).catch(() => {});
      }));
      await within(WAIT_MS, first);
    } catch (error) {
      close();
      throw error.why ? error : failure("refused", error.message);
    } finally {
      timers.forEach(clearTimeout);
    }
    on({type: "connected", first_frame_s: (performance.now() - began) / 1000, microphone: state});
    return {
      id, peer, send, close,
      microphone: state,
      stop: () => { hush(); send({type: "stop"}); },
      mute: (muted) => { if (track) track.enabled = !muted; },
    };
  };
  window.linlyLive.parts = {failure, microphone, hushing, shown}; // for socket.js
})();
