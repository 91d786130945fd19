// The ops live map: signs in, sets up the room, shows the page.

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
import { takeKey } from "./key.ts";
import type { KeyPage } from "./key.ts";
import { providerName, takeFailure } from "./provider.ts";
import { signIn, signedIn } from "./session.ts";
import type { Entry } from "./session.ts";
import { Sync } from "./sync.ts";
import { App } from "./ui/app.tsx";
import { SignIn } from "./ui/signin.tsx";

const page: KeyPage = {
  hash: location.hash,
  replaceHash: (hash) => history.replaceState(null, "", hash === "" ? location.pathname : `${location.pathname}#${hash}`),
};

const provider = providerName();
const failure = takeFailure({
  search: location.search,
  replaceSearch: (search) => history.replaceState(null, "", `${location.pathname}${search === "" ? "" : `?${search}`}${location.hash}`),
});
const root = document.getElementById("app");

function show(entry: Entry | null): void {
  if (!root) return;
  if (entry !== "in") {
    render(<SignIn entry={entry} failure={failure} provider={provider} onKey={(key) => void signIn(key).then(show)} />, root);
    return;
  }
  const desk = createDesk();
  const api = createApi();
  const sync = new Sync(desk, api);
  render(<App room={{ desk, api, sync, actions: createActions(desk, api, sync) }} provider={provider} onKey={(key) => void signIn(key).then(again)} />, root);
}

/** What the page holds belongs to the session that it was opened with. */
function again(entry: Entry): void {
  if (entry === "in") location.reload();
}

// A link with a key pasted into an open page only changes the fragment; starting over takes the key out of it.
addEventListener("hashchange", () => {
  if (location.hash.includes("key=")) location.reload();
});
const key = takeKey(page);
// That nobody is signed in is no news to whoever comes for the first time.
show(key === null ? await signedIn().then((entry) => entry === "refused" ? null : entry) : await signIn(key));
