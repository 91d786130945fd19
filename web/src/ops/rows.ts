// What the list shows and in which order: what needs a person first, each with the reason as far as it is known.
//
//   late  →  silent  →  waiting for a courier  →  couriers with stops  →  free couriers
//
// Within a group the longest trouble comes first, then names. The order depends on nothing that changes by the second,
// so a row does not slip away from under the pointer.

import type { Delivery } from "../protocol.ts";
import type { Filter } from "./address.ts";
import type { Alert, Courier, Fleet } from "./fleet.ts";
import type { Ledger } from "./ledger.ts";
import { deliveryWord, placeWord, stopsWord } from "./words.ts";

export type Trouble = "late" | "silent" | "waiting";

export interface Row {
  kind: "courier" | "delivery";
  id: string;
  title: string;
  /** What stands at the right edge: the number of stops, or nothing for a delivery. */
  aside: string;
  trouble: Trouble | null;
  since: number;
  courier: Courier | null;
  delivery: Delivery | null;
}

export interface Counts {
  all: number;
  late: number;
  silent: number;
  waiting: number;
}

const rank: Record<Trouble, number> = { late: 0, silent: 1, waiting: 2 };

/** Every row there is, in order, before filter and search. */
export function allRows(fleet: Fleet, ledger: Ledger): Row[] {
  const rows = new Map<string, Row>();
  for (const courier of fleet.couriers.values()) rows.set(courier.id, courierRow(courier));
  for (const delivery of ledger.waiting()) rows.set(delivery.id, deliveryRow(delivery));
  for (const alert of fleet.alerts.values()) mark(rows, alert, ledger);
  return [...rows.values()].toSorted(byUrgency);
}

export function countRows(rows: readonly Row[]): Counts {
  const counts: Counts = { all: rows.length, late: 0, silent: 0, waiting: 0 };
  for (const row of rows) if (row.trouble) counts[row.trouble]++;
  return counts;
}

export function filterRows(rows: readonly Row[], filter: Filter): Row[] {
  return filter === "all" ? [...rows] : rows.filter((row) => row.trouble === filter);
}

/**
 * Rows that answer a search: couriers by name or by anything they carry, and the deliveries found, each as a row of its
 * own, so that an order number leads straight to the order.
 */
export function searchRows(rows: readonly Row[], query: string, ledger: Ledger): Row[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...rows];
  const found = [...ledger.all()].filter((delivery) => contains(deliveryText(delivery), words));
  const carriers = new Set(found.map((delivery) => delivery.courier_id));
  const foundIds = new Set(found.map((delivery) => delivery.id));
  const kept = rows.filter((row) =>
    contains(row.title.toLowerCase(), words) || (row.courier ? carriers.has(row.id) : foundIds.has(row.id)));
  const shown = new Set(kept.map((row) => row.id));
  return [...kept, ...found.filter((delivery) => !shown.has(delivery.id)).map(deliveryRow)];
}

function courierRow(courier: Courier): Row {
  return {
    kind: "courier", id: courier.id, title: courier.name, aside: stopsWord(courier.stops),
    trouble: null, since: 0, courier, delivery: null,
  };
}

function deliveryRow(delivery: Delivery): Row {
  return {
    kind: "delivery", id: delivery.id, title: deliveryWord(delivery), aside: "",
    trouble: delivery.status === "created" ? "waiting" : null,
    since: Date.parse(delivery.created_at), courier: null, delivery,
  };
}

/** Puts an alert on the row of its courier, or of its delivery when nobody carries it; the worse trouble wins. */
function mark(rows: Map<string, Row>, alert: Alert, ledger: Ledger): void {
  const delivery = alert.deliveryId === null ? undefined : ledger.get(alert.deliveryId);
  const carrier = alert.courierId ?? delivery?.courier_id ?? null;
  let row = (carrier === null ? undefined : rows.get(carrier)) ?? (delivery && rows.get(delivery.id));
  if (!row) {
    if (!delivery) return;
    row = deliveryRow(delivery);
    rows.set(delivery.id, row);
  }
  const worse = row.trouble === null || rank[alert.kind] < rank[row.trouble];
  const longer = row.trouble === alert.kind && alert.since < row.since;
  if (!worse && !longer) return;
  row.trouble = alert.kind;
  row.since = alert.since;
  row.delivery = delivery ?? row.delivery;
}

/** The same order as localeCompare's, in a fraction of the time: thousands are sorted with every event. */
const byName = new Intl.Collator().compare;

function byUrgency(a: Row, b: Row): number {
  const group = (row: Row) => (row.trouble ? rank[row.trouble] : row.courier && row.courier.stops > 0 ? 3 : 4);
  return group(a) - group(b)
    || (a.trouble ? a.since - b.since : 0)
    || byName(a.title, b.title)
    || a.id.localeCompare(b.id);
}

function deliveryText(delivery: Delivery): string {
  return [
    delivery.id, delivery.external_id, delivery.recipient?.name, placeWord(delivery.dropoff), placeWord(delivery.pickup),
    delivery.pickup.name, delivery.dropoff.name,
  ].filter(Boolean).join(" ").toLowerCase();
}

function contains(text: string, words: readonly string[]): boolean {
  return words.every((word) => text.includes(word));
}
