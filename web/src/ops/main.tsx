// The ops live map: takes the key, sets up the room, shows the page.

import "../theme.css";
import "./css/controls.css";
import "./css/layout.css";
import "./css/list.css";
import "./css/sheet.css";
import "./css/front.css";
import { render } from "preact";
import { createActions } from "./actions.ts";
import { createApi } from "./api.ts";
import { createDesk } from "./desk.ts";
import { keepKey, takeKey } from "./key.ts";
import type { KeyPage } from "./key.ts";
import { Sync } from "./sync.ts";
import { App } from "./ui/app.tsx";
import { SignIn } from "./ui/signin.tsx";

const page: KeyPage = {
  hash: location.hash,
  replaceHash: (hash) => history.replaceState(null, "", hash === "" ? location.pathname : `${location.pathname}#${hash}`),
  storage: sessionStorage,
};

function enter(key: string): void {
  keepKey(page, key);
  location.reload();
}

function show(key: string | null): void {
  const root = document.getElementById("app");
  if (!root) return;
  if (key === null) {
    render(<SignIn refused={false} onKey={enter} />, root);
    return;
  }
  const desk = createDesk();
  const api = createApi(key);
  const sync = new Sync(desk, api, key);
  render(<App room={{ desk, api, sync, actions: createActions(desk, api, sync) }} onKey={enter} />, root);
}

// A link with a key pasted into an open page only changes the fragment; starting over takes the key out of it.
addEventListener("hashchange", () => {
  if (location.hash.includes("key=")) location.reload();
});
show(takeKey(page));
