// Everything the page shows, in one place: what is known (fleet, ledger) and where the dispatcher's attention is.
//
//   sync ──▶ fleet, ledger ──▶ rows ──▶ list, map, sheets
//   hands ─▶ selection, filter, search, follow ──┘
//
// Fleet and ledger change in place; `listed` and `moved` are the bells that say so, apart from each other because a
// position, many times a second, must not lay out the list again.

import { computed, signal } from "@preact/signals";
import { filterRows, allRows, countRows, searchRows } from "./rows.ts";
import type { Filter, MapView, Selection } from "./address.ts";
import { Fleet } from "./fleet.ts";
import { Ledger } from "./ledger.ts";
import { Meter } from "./meter.ts";
import type { Place } from "../protocol.ts";

/** Delayed: the server has lost what tells it of changes, and looks for them every few seconds. */
export type Link = "connecting" | "live" | "delayed" | "reconnecting" | "refused";

export interface Notice {
  text: string;
  tone: "done" | "wrong";
  undo?: () => Promise<void>;
}

/** What a destructive act asks, once. With `reasons` the answer carries the one chosen. */
export interface Question {
  title: string;
  detail: string;
  verb: string;
  reasons?: readonly string[];
  answer: (reason: string | null) => void;
}

/** The new delivery being put together: which end the next click on the map fills, and what is filled. */
export interface Draft {
  pickup: Place | null;
  dropoff: Place | null;
  picking: "pickup" | "dropoff" | null;
}

export type Desk = ReturnType<typeof createDesk>;

export function createDesk() {
  const fleet = new Fleet();
  const ledger = new Ledger();
  const listed = signal(0);
  const filter = signal<Filter>("all");
  const query = signal("");
  const everyRow = computed(() => (listed.value, allRows(fleet, ledger)));
  const rows = computed(() => (listed.value, searchRows(filterRows(everyRow.value, filter.value), query.value, ledger)));

  return {
    fleet,
    ledger,
    meter: new Meter(),

    listed,
    moved: signal(0),
    /** The time the page shows ages against; moves on once a second. */
    now: signal(Date.now()),
    link: signal<Link>("connecting"),
    /** False until the first roster came, so that an empty list is not taken for an empty fleet. */
    loaded: signal(false),
    /** Why the last reading failed, in words; null while reading goes well. */
    unread: signal<string | null>(null),

    filter,
    query,
    everyRow,
    rowOf: computed(() => new Map(everyRow.value.map((row) => [row.id, row]))),
    counts: computed(() => countRows(everyRow.value)),
    rows,
    /** The ids of the rows that filter and search leave. */
    shown: computed(() => new Set(rows.value.map((row) => row.id))),

    selection: signal<Selection | null>(null),
    /** The row the arrow keys stand on, and the one under the pointer; both are shown on the map. */
    marked: signal<string | null>(null),
    hovered: signal<string | null>(null),
    following: signal(false),
    view: signal<MapView | null>(null),

    draft: signal<Draft | null>(null),
    notice: signal<Notice | null>(null),
    dialog: signal<"help" | "courier" | null>(null),
    question: signal<Question | null>(null),
  };
}

/** Asks once and answers the reason chosen ("" where none was asked for), or null for "no". */
export function ask(desk: Desk, question: Omit<Question, "answer">): Promise<string | null> {
  return new Promise((resolve) => {
    desk.question.value = {
      ...question,
      answer(reason) {
        desk.question.value = null;
        resolve(reason);
      },
    };
  });
}

export function select(desk: Desk, selection: Selection | null): void {
  desk.draft.value = null;
  desk.selection.value = selection;
  desk.marked.value = selection?.id ?? desk.marked.value;
  if (selection?.kind !== "courier") desk.following.value = false;
}
