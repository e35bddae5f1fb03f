// Comfort only: every page works without this script. It knows no language; what it says stands in data attributes.
(() => {
  "use strict";

  // A form that was sent waits at most this long before it may be sent again, should the answer never come.
  const PATIENCE = 10000;

  // Send each form once, however often its button is pressed. Buttons are only marked, not disabled: a disabled
  // button would not be sent along, and its name is how the server learns which one it was.
  const guard = (form) => {
    let timer = 0;
    const release = () => {
      window.clearTimeout(timer);
      form.classList.remove("busy");
      form.querySelectorAll("button[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
    };
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) {
        return;
      }
      if (form.classList.contains("busy")) {
        event.preventDefault();
        return;
      }
      form.classList.add("busy");
      form.querySelectorAll("button[type=submit]").forEach((button) => button.setAttribute("aria-disabled", "true"));
      timer = window.setTimeout(release, PATIENCE);
    });
    // Going back may show this very document again, as it was when the form was sent.
    window.addEventListener("pageshow", release);
  };

  // Say beside a field that it is empty, in the language of the page, and go there. Without scripts the browser says it,
  // in its own language.
  const inform = (form) => {
    const inputs = [...form.querySelectorAll("input[data-missing]")];
    const say = (input) => {
      const id = `${input.id}-missing`;
      if (document.getElementById(id)) {
        return;
      }
      const described = input.getAttribute("aria-describedby");
      const wrong = input.hasAttribute("aria-invalid");
      const note = document.createElement("p");
      note.id = id;
      note.className = "missing";
      note.setAttribute("role", "alert");
      note.textContent = input.dataset.missing;
      input.closest(".field").append(note);
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", described ? `${id} ${described}` : id);
      input.addEventListener("input", () => {
        note.remove();
        if (described) {
          input.setAttribute("aria-describedby", described);
        } else {
          input.removeAttribute("aria-describedby");
        }
        if (!wrong) {
          input.removeAttribute("aria-invalid");
        }
      }, { once: true });
    };
    if (inputs.length) {
      form.noValidate = true;
    }
    form.addEventListener("submit", (event) => {
      const empty = inputs.filter((input) => input.value === "");
      empty.forEach(say);
      if (empty.length) {
        event.preventDefault();
        empty[0].focus();
      }
    });
  };

  const SVG = "http://www.w3.org/2000/svg";
  const EYE = "M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z";
  const STROKE = "M4 4l16 16";

  const picture = () => {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    for (const [name, value] of [["fill", "none"], ["stroke", "currentColor"], ["stroke-width", "1.8"],
                                 ["stroke-linecap", "round"], ["stroke-linejoin", "round"]]) {
      path.setAttribute(name, value);
    }
    svg.append(path);
    return [svg, path];
  };

  // Let people look at the password they typed.
  const reveal = (box) => {
    const input = box.querySelector("input");
    const button = document.createElement("button");
    const [svg, path] = picture();
    const show = (visible) => {
      input.type = visible ? "text" : "password";
      path.setAttribute("d", visible ? EYE + STROKE : EYE);
      button.title = visible ? box.dataset.hide : box.dataset.show;
      button.setAttribute("aria-label", button.title);
    };
    button.type = "button";
    button.className = "reveal";
    button.setAttribute("aria-controls", input.id);
    button.append(svg);
    button.addEventListener("click", () => {
      show(input.type === "password");
    });
    input.spellcheck = false;
    input.autocapitalize = "none";
    // What is sent is a password again, so that browsers neither list it nor keep it with ordinary text.
    input.form.addEventListener("submit", () => show(false));
    window.addEventListener("pageshow", () => show(false));
    show(false);
    box.append(button);
    box.classList.add("revealable");
  };

  // Say that Caps Lock is on while a password is typed.
  const warn = (input, hint) => {
    const look = (event) => {
      const on = typeof event.getModifierState === "function" && event.getModifierState("CapsLock");
      if (on !== (hint.textContent !== "")) {
        hint.textContent = on ? hint.dataset.text : "";
      }
    };
    input.addEventListener("keydown", look);
    input.addEventListener("keyup", look);
    input.addEventListener("blur", () => {
      hint.textContent = "";
    });
  };

  // In this order: a form that stays where it is was not sent.
  document.querySelectorAll("form").forEach(inform);
  document.querySelectorAll("form").forEach(guard);
  document.querySelectorAll(".secret").forEach(reveal);
  const password = document.getElementById("password");
  const capslock = document.getElementById("capslock");
  if (password && capslock) {
    warn(password, capslock);
  }

  // Applications that hear of a sign-out in frames of this page. Which of them was there can be told from its frame;
  // those that take too long did not answer. Then go on, if there is somewhere to go.
  const told = document.querySelectorAll("iframe[data-party]");
  const onward = document.querySelector("a[data-onward]");
  if (told.length) {
    const LONGEST = 6000;
    const open = new Set(told);
    let done = false;
    const finish = () => {
      if (done) {
        return;
      }
      done = true;
      open.forEach((frame) => {
        const line = document.querySelector(`[data-frame="${frame.dataset.party}"]`);
        if (line) {
          line.textContent = line.dataset.silent;
        }
      });
      if (onward) {
        window.location.replace(onward.href);
      }
    };
    told.forEach((frame) => frame.addEventListener("load", () => open.delete(frame)));
    // It waits for every frame. One that was there before this script ran has said so to the browser.
    window.addEventListener("load", () => {
      open.clear();
      finish();
    });
    window.setTimeout(() => {
      open.forEach((frame) => performance.getEntriesByName(frame.src).length && open.delete(frame));
      finish();
    }, LONGEST);
  }

  // An answer that goes to an application by way of a form; the button is for browsers without scripts.
  const answer = document.querySelector("form[data-send]");
  if (answer) {
    answer.submit();
  }
})();
