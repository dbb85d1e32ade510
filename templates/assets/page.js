// What the pages do beyond plain HTML. Every page works without it, and nothing here decides anything: the
// server checks again. Loaded in the head, so that what depends on script is laid out for it from the start.
"use strict";

document.documentElement.classList.add("js");

const all = (selector) => Array.from(document.querySelectorAll(selector));

// Moves to what is wrong: the list of errors, or the one field that has one.
function showErrors() {
  const summary = document.getElementById("errors");
  const field = document.querySelector("[aria-invalid=true]");
  if (summary) {
    // A box that waits for the end of its text cannot take the focus; the text can.
    summary.querySelectorAll("a").forEach((link) => link.addEventListener("click", (event) => {
      const id = link.hash.slice(1);
      const text = document.querySelector("[data-gate=" + CSS.escape(id) + "]");
      if (text && document.getElementById(id).disabled) {
        event.preventDefault();
        text.focus();
      }
    }));
    summary.focus();
  } else if (field) {
    field.focus();
  }
}

// A password can be shown, and is hidden again before it is sent.
function revealPasswords() {
  all("[data-reveal]").forEach((button) => {
    const input = document.getElementById(button.dataset.reveal);
    const show = (shown) => {
      input.type = shown ? "text" : "password";
      button.classList.toggle("shown", shown);
      button.setAttribute("aria-label", shown ? button.dataset.hide : button.dataset.show);
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      show(input.type === "password");
      input.focus();
    });
    input.form.addEventListener("submit", () => show(false));
  });
}

// A box stays disabled until the text above it was scrolled to its end, or fits.
function gateDocuments() {
  all("[data-gate]").forEach((text) => {
    const box = document.getElementById(text.dataset.gate);
    const hint = document.getElementById(text.dataset.gate + "-hint");
    const events = [[text, "scroll"], [window, "resize"], [window, "pageshow"]];
    const atEnd = () => text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
    const look = () => {
      if (!atEnd()) {
        return;
      }
      box.disabled = false;
      hint.textContent = hint.dataset.open;
      events.forEach(([target, name]) => target.removeEventListener(name, look));
    };
    if (box.checked || atEnd()) {
      return;
    }
    box.disabled = true;
    hint.textContent = hint.dataset.closed;
    events.forEach(([target, name]) => target.addEventListener(name, look, { passive: true }));
  });
}

// A rough guess at a password's strength, 0 to 4, in the bits that its parts are worth.
function strengthOf(password, least) {
  const characters = Array.from(password);
  if (characters.length < least) {
    return 0;
  }
  const kinds = [[/[a-z]/, 26], [/[A-Z]/, 26], [/[0-9]/, 10], [/[ -/:-@[-`{-~]/, 33], [/[^ -~]/, 500]];
  const alphabet = kinds.reduce((sum, [kind, size]) => sum + (kind.test(password) ? size : 0), 0);
  // Repetitions, neighbours such as "abc" or "321", and years or dates are worth next to nothing.
  const worth = characters.filter((character, at) => {
    const step = at === 0 ? 9 : character.codePointAt(0) - characters[at - 1].codePointAt(0);
    return Math.abs(step) > 1 && characters.indexOf(character) > at - 3;
  }).length;
  const guessable = /(19|20)\d\d|password|pass|qwert|asdf|kenpo|admin|welcome|sakura|love/gi;
  const given = (password.match(guessable) || []).join("").length;
  const bits = Math.max(0, worth - given) * Math.log2(alphabet || 1);
  return bits < 30 ? 1 : bits < 50 ? 2 : bits < 80 ? 3 : 4;
}

function measurePasswords() {
  all("[data-strength]").forEach((meter) => {
    const input = document.getElementById(meter.dataset.strength);
    const word = meter.querySelector("[data-word]");
    const words = meter.dataset.words.split("|");
    const measure = () => {
      const level = strengthOf(input.value, Number(meter.dataset.min));
      meter.hidden = input.value === "";
      meter.dataset.level = level;
      if (word.textContent !== words[level]) {
        word.textContent = words[level];
      }
    };
    input.addEventListener("input", measure);
    measure();
  });
}

// A form goes once. The buttons are disabled only after the browser has read which of them was pressed, and
// come back with the page from the back-forward cache, or when no answer has come for a while.
function guardForms() {
  const release = (form) => {
    delete form.dataset.sent;
    all("button[type=submit]").forEach((button) => { button.disabled = false; });
  };
  all("form").forEach((form) => {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
      setTimeout(() => form.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = true; }));
      setTimeout(() => release(form), 15000);
    });
    window.addEventListener("pageshow", (event) => event.persisted && release(form));
  });
}

// Forms that go by themselves; requestSubmit passes the guard above, so a press on the button meanwhile does
// not send them twice. One without a delay goes now: a timer would leave the page behind in the history.
function submitForms() {
  all("form[data-auto-submit]").forEach((form) => {
    const go = () => {
      if (form.requestSubmit) {
        form.requestSubmit();
      } else {
        form.submit();
      }
    };
    const delay = Number(form.dataset.autoSubmit);
    if (delay) {
      setTimeout(go, delay);
    } else {
      go();
    }
  });
}

// Goes on as soon as the frames of the page have loaded.
function goOnward() {
  const link = document.querySelector("a[data-onward]");
  if (link) {
    window.addEventListener("load", () => location.replace(link.href));
  }
}

// Waits for the mailed link to be used, in this browser or another.
function awaitCompletion() {
  all("[data-poll]").forEach((waiting) => {
    const again = () => setTimeout(ask, 4000);
    const ask = () => {
      fetch(waiting.dataset.poll, { credentials: "same-origin", cache: "no-store" })
        .then((response) => (response.ok ? response.json() : { state: "waiting" }))
        .then((answer) => {
          if (answer.state === "completed") {
            location.assign(waiting.dataset.done);
          } else if (answer.state === "ended") {
            location.reload();
          } else {
            again();
          }
        })
        .catch(again);
    };
    waiting.querySelector("[role=status]").hidden = false;
    again();
  });
}

// Printing takes a script; without one the browser's own menu does it.
function offerPrinting() {
  all("[data-print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });
}

document.addEventListener("DOMContentLoaded", () => {
  offerPrinting();
  revealPasswords();
  gateDocuments();
  measurePasswords();
  guardForms();
  awaitCompletion();
  goOnward();
  showErrors();
  submitForms();
});
