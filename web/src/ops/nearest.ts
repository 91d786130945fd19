// Who could fetch a parcel soonest: free couriers by minutes to the pickup, then those still busy.
//
// The minutes are an estimate for choosing between people, not a promise: the straight line, lengthened to what streets
// usually make of it, at the pace of the vehicle in town. The ETA a customer sees is computed by the server.

import type { NearbyCourier, Vehicle } from "../protocol.ts";

export interface Candidate {
  courier: NearbyCourier;
  minutes: number;
  free: boolean;
  /** Milliseconds since the courier's last fix: an old one makes the minutes worth less, and the page says so. */
  age: number;
}

/** Streets are not straight lines: a usual ratio of way to distance in a town's grid. */
const detour = 1.35;

/** Metres a second from door to door in town, lights and locks included. */
const pace: Record<Vehicle, number> = { foot: 1.3, bike: 4, scooter: 6, car: 5.5, van: 5 };

export function nearest(couriers: readonly NearbyCourier[], now: number, limit = 6): Candidate[] {
  const candidates: Candidate[] = [];
  for (const courier of couriers) {
    if (!courier.on_duty || !courier.position || courier.distance_m === undefined) continue;
    candidates.push({
      courier,
      minutes: Math.max(1, Math.round((courier.distance_m * detour) / pace[courier.vehicle] / 60)),
      free: courier.stops === 0,
      age: Math.max(0, now - Date.parse(courier.position.recorded_at)),
    });
  }
  return candidates
    .toSorted((a, b) => Number(b.free) - Number(a.free) || a.minutes - b.minutes || a.courier.stops - b.courier.stops)
    .slice(0, limit);
}
