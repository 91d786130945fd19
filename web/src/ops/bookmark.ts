// The address bar and the desk, kept alike: a selection is a step in the history, so Back closes it; a moved map is not.

import { effect } from "@preact/signals";
import { readAddress, writeAddress } from "./address.ts";
import type { Desk } from "./desk.ts";
import { select } from "./desk.ts";

/** Browsers refuse more than about a hundred changes of the address in half a minute. */
const settle = 400;

/** Puts what the address says on the desk, then follows both. `go` moves the map when the address did. */
export function keepBookmark(desk: Desk, go: () => void): void {
  read(desk);
  let written = writeAddress(address(desk));
  let timer: ReturnType<typeof setTimeout> | undefined;

  effect(() => {
    const now = address(desk);
    const text = writeAddress(now);
    if (text === written) return;
    clearTimeout(timer);
    if (readAddress(written).selection?.id !== now.selection?.id) {
      written = text;
      history.pushState(null, "", url(text));
      return;
    }
    timer = setTimeout(() => {
      written = text;
      history.replaceState(null, "", url(text));
    }, settle);
  });

  addEventListener("popstate", () => {
    clearTimeout(timer);
    read(desk);
    written = writeAddress(address(desk));
    go();
  });
}

function read(desk: Desk): void {
  const { selection, view, filter, query } = readAddress(location.hash);
  if (selection?.id !== desk.selection.value?.id) select(desk, selection);
  desk.filter.value = filter;
  desk.query.value = query;
  if (view) desk.view.value = view;
}

function address(desk: Desk) {
  const { selection, view, filter, query } = desk;
  return { selection: selection.value, view: view.value, filter: filter.value, query: query.value };
}

function url(hash: string): string {
  return hash === "" ? location.pathname : `${location.pathname}#${hash}`;
}
