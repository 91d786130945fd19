// The keyboard, and what its commands do to the desk.

import type { Desk } from "./desk.ts";
import { select } from "./desk.ts";
import type { Focus } from "./shortcuts.ts";
import { command } from "./shortcuts.ts";

export function listenToKeys(desk: Desk): void {
  document.addEventListener("keydown", (event) => {
    // An open dialog has the keyboard to itself; the browser closes it on Escape.
    if (document.querySelector("dialog[open]")) return;
    const wanted = command(event, focus());
    if (wanted === null) return;
    event.preventDefault();
    switch (wanted) {
      case "search": return document.getElementById("search")?.focus();
      case "next": return step(desk, 1);
      case "previous": return step(desk, -1);
      case "open": return open(desk);
      case "follow":
        if (desk.selection.value?.kind === "courier") desk.following.value = !desk.following.value;
        return;
      case "create": return startDelivery(desk);
      case "help":
        desk.dialog.value = "help";
        return;
      case "close": return escape(desk);
    }
  });
}

export function startDelivery(desk: Desk): void {
  desk.selection.value = null;
  desk.following.value = false;
  desk.draft.value = { pickup: null, dropoff: null, picking: "pickup" };
}

/** Closes the sheet, whichever it is. */
export function close(desk: Desk): void {
  if (desk.draft.value) desk.draft.value = null;
  else select(desk, null);
}

function focus(): Focus {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || element === document.body || element.tabIndex < 0) return "page";
  if (element.id === "search") return "search";
  if (element.id === "list") return "list";
  if (element.matches("input, select, textarea")) return "text";
  return "control";
}

function step(desk: Desk, by: 1 | -1): void {
  const rows = desk.rows.value;
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.id === desk.marked.value);
  const next = at < 0 ? (by === 1 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  desk.marked.value = rows[next]?.id ?? null;
}

function open(desk: Desk): void {
  const row = desk.rows.value.find(({ id }) => id === desk.marked.value) ?? desk.rows.value[0];
  if (row) select(desk, { kind: row.kind, id: row.id });
}

/** Closes the topmost thing: picking on the map, the sheet, the search, the filter, the mark. */
function escape(desk: Desk): void {
  if (desk.draft.value?.picking) desk.draft.value = { ...desk.draft.value, picking: null };
  else if (desk.draft.value || desk.selection.value) close(desk);
  else if (desk.query.value !== "") desk.query.value = "";
  else if (desk.filter.value !== "all") desk.filter.value = "all";
  else desk.marked.value = null;
  if (document.activeElement?.id === "search" && desk.query.value === "") document.getElementById("list")?.focus();
}
