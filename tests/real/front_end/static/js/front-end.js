// A front end for the identifier API, in the way Konnect's own one goes: one document for all pages, the request in the
// address, prompt=none on the way back. It is as small as a test needs it.
"use strict";

const root = document.getElementById("root");
const prefix = root.dataset.pathPrefix;
const query = Object.fromEntries(new URLSearchParams(location.search));
const flow = query.flow;
delete query.flow;
let greeting = null;

async function ask(name, members) {
  const state = Math.random().toString(36).slice(2);
  const answer = await fetch(`${prefix}/identifier/_/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json;charset=utf-8", "Kopano-Konnect-XSRF": "1" },
    body: JSON.stringify({ state, ...members }),
  });
  if (answer.status !== 200 && answer.status !== 204) throw new Error(`unexpected status ${answer.status}`);
  const told = answer.status === 200 ? await answer.json() : null;
  const echo = told ? told.state : answer.headers.get("Kopano-Konnect-State");
  if (echo !== (members.state ?? state)) throw new Error("unexpected state");
  return told;
}

function question() {
  const asked = query.prompt ? { prompt: query.prompt } : {};
  if (!["oidc", "oauth", "consent"].includes(flow)) return asked;
  asked.flow = flow;
  asked.scope = query.scope || "";
  if (query.claims_scope) asked.scope += ` ${query.claims_scope}`;
  asked.client_id = query.client_id || "";
  asked.redirect_uri = query.redirect_uri || "";
  if (query.id_token_hint) asked.id_token_hint = query.id_token_hint;
  if (query.max_age) asked.max_age = query.max_age;
  return asked;
}

function show(heading, ...parts) {
  const title = document.createElement("h1");
  title.textContent = heading;
  root.replaceChildren(title, ...parts);
}

function text(words, id) {
  const line = document.createElement("p");
  line.textContent = words;
  if (id) line.id = id;
  return line;
}

function button(label, act) {
  const made = document.createElement("button");
  made.textContent = label;
  made.addEventListener("click", () => guarded(act));
  return made;
}

async function guarded(act) {
  try {
    await act();
  } catch (error) {
    show("Sorry", text(error.message, "error"));
  }
}

function onward(more) {
  const address = new URLSearchParams({ ...query, prompt: "none", ...more });
  address.sort();
  location.replace(`${greeting.continue_uri}?${address}`);
}

function advance() {
  if (flow && greeting.flow === flow) {
    if (greeting.next === "consent") return consent();
    if (greeting.continue_uri) return onward({});
  }
  const back = query.continue ? new URL(query.continue, location.href) : null;
  if (back && back.origin === location.origin) return location.replace(back);
  return welcome();
}

function signIn(trouble) {
  const fields = ["username", "password"].map((name) => {
    const field = document.createElement("input");
    field.id = name;
    field.type = name === "password" ? "password" : "text";
    field.setAttribute("aria-label", name);
    return field;
  });
  show("Sign in", text(trouble || "", "trouble"), ...fields, button("Next", async () => {
    const told = await ask("logon", { params: [fields[0].value, fields[1].value, "1"], hello: question() });
    if (!told) return signIn("wrong");
    greeting = told.hello;
    return advance();
  }));
}

function choose() {
  show("Choose an account", button(greeting.username, async () => {
    const told = await ask("logon", { params: [greeting.username, "", "0"], hello: question() });
    if (!told) return signIn();
    greeting = told.hello;
    return advance();
  }), button("Another account", async () => signIn()));
}

function consent() {
  const answer = (allow) => async () => {
    const state = Math.random().toString(36).slice(2);
    await ask("consent", {
      state,
      allow,
      scope: Object.keys(greeting.scopes).join(" "),
      client_id: query.client_id,
      redirect_uri: query.redirect_uri,
      ref: query.state,
      flow_nonce: query.nonce,
    });
    onward({ konnect: state });
  };
  const lines = Object.keys(greeting.scopes).map((scope) => text(greeting.meta.scopes.mapping[scope] || scope));
  show(`${greeting.client.display_name} asks`, ...lines, button("Agree", answer(true)), button("Cancel", answer(false)));
}

function welcome() {
  show(`Welcome ${greeting.displayName}`, button("Sign out", leave));
}

async function leave() {
  await ask("logoff", {});
  greeting = null;
  show("Goodbye", text("You are signed out."));
}

guarded(async () => {
  greeting = await ask("hello", question());
  if (location.pathname.endsWith("/goodbye")) {
    return greeting ? show(`Goodbye ${greeting.displayName}`, button("Sign out", leave)) : leave();
  }
  if (!greeting) return signIn();
  return (query.prompt || "").includes("select_account") ? choose() : advance();
});
