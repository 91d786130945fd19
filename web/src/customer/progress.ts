// The bar under the headline and the timeline below it; progress.go is the twin.
import type { Words } from "../i18n/words.ts";
import type { Status } from "../protocol.ts";
import type { Delivery } from "./delivery.ts";
import { names } from "./phrases.ts";

export interface Step { label: string; state: "done" | "current" | "ahead" | "failed"; spoken: string }
export interface Moment { at: string; label: string; note: string }

const LABELS = ["step.placed", "step.picked_up", "step.on_the_way", "step.delivered"] as const;
const CURRENT: Partial<Record<Status, number>> = {
  created: 0, assigned: 0, picked_up: 1, en_route: 2, arriving: 2, delivered: 4,
};

export function steps(words: Words, d: Delivery): Step[] {
  const step = (key: string, state: Step["state"]): Step =>
    ({ label: words.text(key), state, spoken: words.text(`step.${state === "failed" ? "current" : state}`) });
  const at = CURRENT[d.status];
  if (at === undefined) {
    // It ended otherwise: what was reached stays, and how it ended stands in place of the rest.
    const reached = Math.max(1, ...d.events.map((event) => Math.min(CURRENT[event.status] ?? 0, 2) + 1));
    return [...LABELS.slice(0, reached).map((key) => step(key, "done")), step(`step.${d.status}`, "failed")];
  }
  return LABELS.map((key, i) => step(key, i < at ? "done" : i === at ? "current" : "ahead"));
}

/** From 0 to 1, for the favicon: how much of the way is behind it. */
export function fraction(d: Delivery, now: number): number {
  const base = { created: 0.05, assigned: 0.12, picked_up: 0.3, en_route: 0.4, arriving: 0.9, failed: 0.9, delivered: 1,
    cancelled: 0, returned: 0 }[d.status];
  if (d.status !== "en_route" || d.eta === null) return base;
  // Half an hour away fills nothing more, being there fills all but the last step.
  const minutes = Math.max(0, (Date.parse(d.eta.at) - now) / 60_000);
  return base + 0.5 * Math.max(0, 1 - minutes / 30);
}

export function timeline(words: Words, d: Delivery): Moment[] {
  const lastAssigned = d.events.findLastIndex((event) => event.status === "assigned");
  return d.events.map((event, i) => {
    let key = `event.${event.status}`;
    if (event.status === "created" && i > 0) key = "event.unassigned";
    // The courier's name is only known for the assignment that holds; an earlier one was somebody else's.
    if (event.status === "assigned" && i !== lastAssigned) key = "event.assigned.before";
    if (event.status === "en_route" && d.events.slice(0, i).some((e) => e.status === "en_route")) key = "event.en_route_again";
    const note = event.proof?.left_at ? words.text("detail.left_at", { place: event.proof.left_at }) : (event.reason ?? "");
    return { at: event.at, label: words.text(key, names(words, d)), note };
  });
}
