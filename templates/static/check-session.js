// Answers the scripts of clients that ask whether the session is still the one they know: with "unchanged", "changed",
// or "error" when what they ask makes no sense. Spec: OpenID Connect Session Management 1.0, 3.1 and 3.2.
(() => {
  "use strict";

  // Opened by itself there is nobody to answer.
  if (window.parent === window) {
    return;
  }

  const cookie = document.currentScript.dataset.cookie;
  // A digest, a dot, and a salt: chance, then the proof of the client and the origin it was made for.
  const STATE = /^[0-9a-f]{64}\.([A-Za-z0-9_-]{22})([0-9a-f]{32})$/;

  // SHA-256 (FIPS 180-4) of a text in UTF-8, in hexadecimal. The browser's own one is missing where the page around
  // this frame has no TLS.
  const sha256 = (() => {
    const primes = [];
    for (let n = 2; primes.length < 64; n += 1) {
      if (primes.every((prime) => n % prime)) {
        primes.push(n);
      }
    }
    const fraction = (x) => ((x - Math.floor(x)) * 0x100000000) | 0;
    const K = primes.map((prime) => fraction(Math.cbrt(prime)));
    const START = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
    const turn = (x, n) => (x >>> n) | (x << (32 - n));

    const round = (hash, w) => {
      let [a, b, c, d, e, f, g, h] = hash;
      for (let i = 0; i < 64; i += 1) {
        if (i >= 16) {
          const x = w[i - 15];
          const y = w[i - 2];
          const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
          const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
          w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
        }
        const t1 = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        [a, b, c, d, e, f, g, h] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
      }
      return [a, b, c, d, e, f, g, h].map((word, i) => (word + hash[i]) | 0);
    };

    return (text) => {
      const bytes = new TextEncoder().encode(text);
      const view = new DataView(new ArrayBuffer(((bytes.length + 72) >> 6) << 6));
      bytes.forEach((byte, i) => view.setUint8(i, byte));
      view.setUint8(bytes.length, 0x80);
      view.setUint32(view.byteLength - 8, Math.floor(bytes.length / 0x20000000));
      view.setUint32(view.byteLength - 4, (bytes.length << 3) >>> 0);
      let hash = START;
      for (let at = 0; at < view.byteLength; at += 64) {
        const words = [];
        for (let i = 0; i < 16; i += 1) {
          words.push(view.getInt32(at + 4 * i));
        }
        hash = round(hash, words);
      }
      return hash.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
    };
  })();

  // One word for each session of this browser; those that outlive it have a cookie of their own.
  const browserState = () =>
    [cookie, `${cookie}-kept`]
      .map((name) => [name, document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))])
      .flatMap(([name, found]) => (found ? [found.slice(name.length + 1)] : []))
      .join(".");

  // What was last found to be changed, and the browser state it was.
  let last = { asked: "", state: null };

  const answer = (message, origin) => {
    const at = typeof message === "string" ? message.lastIndexOf(" ") : -1;
    const match = at > 0 ? STATE.exec(message.slice(at + 1)) : null;
    if (!match) {
      return "error";
    }
    const client = message.slice(0, at);
    const asked = match[0];
    const [, chance, proof] = match;
    // Made for another client or another origin: no session would ever fit, so asking again and again is an error.
    if (sha256(`${client} ${origin} ${chance}`).slice(0, 32) !== proof) {
      return "error";
    }
    const state = browserState();
    // A client may have to do with any of the sessions; its own goes on as long as its word is there.
    if (state.split(".").some((word) => sha256(`${client} ${origin} ${word} ${chance}${proof}`) === asked.slice(0, 64))) {
      return "unchanged";
    }
    // The client has asked us anew and its fresh value does not fit either, with nothing changed in between: this
    // frame does not see the cookie that the browser keeps. Saying "changed" would have it ask us for ever.
    if (last.state === state && last.asked !== asked) {
      return "error";
    }
    last = { asked, state };
    return "changed";
  };

  window.addEventListener("message", (event) => {
    const source = event.source;
    // Only the page around this frame, and frames beside it, which is where clients have their scripts; never this
    // frame's own window, and nobody who has no origin to answer to.
    const beside = source && source !== window && (source === window.parent || source.parent === window.parent);
    if (!beside || event.origin === "null" || event.origin === "") {
      return;
    }
    source.postMessage(answer(event.data, event.origin), event.origin);
  });
})();
