// The frame of OpenID Connect Session Management 1.0 §3.2: a relying party posts "client_id session_state" and
// is told whether the session of this browser still is the one that it knows. Nothing else is told.
"use strict";

(() => {
  const name = document.currentScript.dataset.cookie;

  const browserState = () => {
    const cookie = document.cookie.split("; ").find((pair) => pair.startsWith(name + "="));
    return cookie ? cookie.slice(name.length + 1) : "";
  };

  const base64url = (bytes) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");

  async function answer(message, origin) {
    const parts = /^([\x21-\x7e]+(?: [\x21-\x7e]+)*) ([\w-]+)\.([\w-]+)$/.exec(message);
    if (!parts) {
      return "error";
    }
    const [, client, hash, salt] = parts;
    const text = [client, origin, browserState(), salt].join(" ");
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return base64url(digest) === hash ? "unchanged" : "changed";
  }

  addEventListener("message", (event) => {
    if (typeof event.data !== "string" || !event.source || event.origin === "null") {
      return;
    }
    answer(event.data, event.origin)
      .catch(() => "error")
      .then((word) => event.source.postMessage(word, event.origin));
  });
})();
