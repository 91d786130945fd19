// The words of the ops page: ages, clocks, distances and statuses the way a dispatcher says them.

import type { Delivery, Event, Place, Status, TimeWindow } from "../protocol.ts";

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "numeric", minute: "2-digit" });

/** A length of time in its one largest unit: "8 s", "4 min", "2 h", "3 d". Never negative. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** The time of day; with the weekday when it is not within half a day of now. */
export function clock(at: number, now: number): string {
  return (near(at, now) ? clockFormat : dayFormat).format(at);
}

function near(at: number, now: number): boolean {
  return Math.abs(now - at) < 43_200_000;
}

export function distance(metres: number): string {
  if (metres < 950) return `${Math.max(10, Math.round(metres / 10) * 10)} m`;
  return `${(metres / 1000).toFixed(metres < 9950 ? 1 : 0)} km`;
}

export function stopsWord(stops: number): string {
  if (stops === 0) return "free";
  return stops === 1 ? "1 stop" : `${stops} stops`;
}

export const statusWord: Record<Status, string> = {
  created: "Waiting for a courier",
  assigned: "Assigned",
  picked_up: "Picked up",
  en_route: "On the way",
  arriving: "At the door",
  delivered: "Delivered",
  failed: "Could not be delivered",
  cancelled: "Cancelled",
  returned: "Returned",
};

/** An event as it is told afterwards: a delivery that waits again was taken back from somebody. */
export function eventWord({ status, ver }: Event): string {
  if (status !== "created") return statusWord[status];
  return ver === 1 ? "Placed" : "Taken back";
}

export function placeWord(place: Place): string {
  return place.address ?? place.name ?? `${place.lat.toFixed(5)}, ${place.lon.toFixed(5)}`;
}

/** What people call a delivery: the merchant's own number if there is one, else who or where it is for. */
export function deliveryWord(delivery: Delivery): string {
  if (delivery.external_id) return `#${delivery.external_id}`;
  return delivery.recipient?.name ?? placeWord(delivery.dropoff);
}

/** A window of time; a merchant may promise only one end of it. */
export function windowWord(window: TimeWindow, now: number): string {
  const from = Date.parse(window.from);
  const to = Date.parse(window.to);
  if (Number.isNaN(from)) return `until ${clock(to, now)}`;
  if (Number.isNaN(to)) return `from ${clock(from, now)}`;
  return (near(to, now) ? clockFormat : dayFormat).formatRange(from, to);
}
