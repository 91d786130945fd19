// The second line of a row: why something needs a person, as far as this page can know, or else what goes on.

import type { Row } from "./rows.ts";
import type { Fleet } from "./fleet.ts";
import type { Ledger } from "./ledger.ts";
import { placeWord, span, statusWord, stopsWord, windowWord } from "./words.ts";

/** Below this a silent phone has probably just run out of power. */
const lowBattery = 0.15;

/** A fix as fresh as this goes without saying; the marker tells as much. */
const worthSaying = 30_000;

export function reason(row: Row, fleet: Fleet, ledger: Ledger, now: number): string {
  switch (row.trouble) {
    case "late":
      return joined(`Late ${span(now - row.since)}`, whyLate(row, fleet, now), where(row));
    case "silent":
      return joined(`Silent ${span(silence(row, now))}`, whySilent(row));
    case "waiting":
      return joined(`No courier for ${span(now - row.since)}`, row.delivery && placeWord(row.delivery.dropoff));
    case null:
      return row.courier ? courierLine(row, ledger, now) : deliveryLine(row, now);
  }
}

function whyLate(row: Row, fleet: Fleet, now: number): string | null {
  const delivery = row.delivery;
  if (!delivery) return null;
  if (delivery.status === "created") return "no courier";
  const silent = [...fleet.alerts.values()].some((a) => a.kind === "silent" && a.courierId === delivery.courier_id);
  if (silent && row.courier?.fix) return `no word for ${span(now - row.courier.fix.at)}`;
  if (delivery.status === "assigned") return "not picked up";
  if (delivery.status === "failed") return "could not be delivered";
  if (delivery.stops_before) return `${stopsWord(delivery.stops_before)} before it`;
  return null;
}

/** How long a courier has been silent: since the last fix if there was one, which is longer than since the alert. */
function silence(row: Row, now: number): number {
  return now - (row.courier?.fix?.at ?? row.since);
}

function whySilent(row: Row): string | null {
  const fix = row.courier?.fix;
  if (!fix) return "nothing heard on this shift";
  if (fix.battery !== null && fix.battery < lowBattery) return `battery was at ${Math.round(fix.battery * 100)} %`;
  if (fix.accuracy !== null && fix.accuracy > 100) return "poor reception before";
  return null;
}

function where(row: Row): string | null {
  return row.delivery && placeWord(row.delivery.dropoff);
}

function courierLine(row: Row, ledger: Ledger, now: number): string {
  const courier = row.courier;
  if (!courier) return "";
  const next = ledger.of(courier.id)[0];
  const doing = next ? `${statusWord[next.status]}: ${placeWord(next.dropoff)}` : "On shift";
  if (!courier.fix) return joined("No position yet", doing);
  const age = now - courier.fix.at;
  return age > worthSaying ? joined(`${span(age)} ago`, doing) : doing;
}

function deliveryLine(row: Row, now: number): string {
  const delivery = row.delivery;
  if (!delivery) return "";
  return joined(statusWord[delivery.status], delivery.courier?.name, delivery.window && windowWord(delivery.window, now));
}

function joined(...parts: (string | null | undefined)[]): string {
  return parts.filter(Boolean).join(" · ");
}
