// From the fleet to what the map's one marker layer holds, and from one picture to the next as the smallest difference,
// so that a marker that did not change is not sent to the map again.

import type { GeoJSONSourceDiff } from "maplibre-gl";
import type { Delivery } from "../protocol.ts";
import type { Member } from "./crowd.ts";
import type { Courier, Fix } from "./fleet.ts";
import type { Point } from "./glide.ts";
import { iconName, iconNames } from "./glyphs.ts";
import type { Row } from "./rows.ts";

export interface Marker extends Point {
  id: string;
  kind: "courier" | "delivery";
  icon: string;
  /** 0..1; an old fix fades. */
  fade: number;
  name: string;
  /** What needs somebody is drawn above the rest. */
  order: number;
}

const fresh = 30_000;
const old = 300_000;
const faintest = 0.4;

/** Full strength while fresh, then fading evenly, in steps so coarse that a marker at rest is rarely redrawn. */
export function fade(age: number): number {
  if (age <= fresh) return 1;
  const share = Math.min(1, (age - fresh) / (old - fresh));
  return Math.round((1 - share * (1 - faintest)) * 20) / 20;
}

function courierIcon(courier: Courier, fix: Fix, row: Row): string {
  const trouble = row.trouble === "waiting" ? null : row.trouble;
  return iconName(trouble ?? (courier.stops > 0 ? "busy" : "free"), fix.heading);
}

const iconIndex = new Map(iconNames.map((name, index) => [name, index]));

/** The same courier in a crowd. */
export function crowdMember(courier: Courier, fix: Fix, row: Row, now: number): Member {
  return {
    id: courier.id, lat: fix.lat, lon: fix.lon, at: fix.at,
    icon: iconIndex.get(courierIcon(courier, fix, row)) ?? 0, fade: fade(now - fix.at), above: row.trouble !== null,
  };
}

export function courierMarker(courier: Courier, fix: Fix, row: Row, place: Point, now: number): Marker {
  const trouble = row.trouble === "waiting" ? null : row.trouble;
  return {
    id: courier.id, kind: "courier", name: courier.name, ...place,
    icon: courierIcon(courier, fix, row),
    fade: fade(now - fix.at),
    order: trouble === "late" ? 3 : trouble === "silent" ? 2 : courier.stops > 0 ? 1 : 0,
  };
}

/** A parcel nobody carries yet stands on the map where it waits. */
export function waitingMarker(delivery: Delivery, row: Row): Marker {
  const { lat, lon } = delivery.pickup;
  return {
    id: delivery.id, kind: "delivery", name: row.title, lat, lon,
    icon: iconName(row.trouble === "late" ? "late" : "waiting", null), fade: 1, order: 2,
  };
}

export class MarkerSet {
  #drawn = new Map<string, Marker>();

  /** What the map must be told to show exactly `markers`; null when it shows them already. */
  diff(markers: readonly Marker[]): GeoJSONSourceDiff | null {
    const next = new Map<string, Marker>();
    const add: GeoJSON.Feature[] = [];
    for (const marker of markers) {
      next.set(marker.id, marker);
      const drawn = this.#drawn.get(marker.id);
      if (!drawn || !same(drawn, marker)) add.push(feature(marker));
    }
    const remove = [...this.#drawn.keys()].filter((id) => !next.has(id));
    this.#drawn = next;
    return add.length > 0 || remove.length > 0 ? { add, remove } : null;
  }
}

function same(a: Marker, b: Marker): boolean {
  return a.lat === b.lat && a.lon === b.lon && a.icon === b.icon && a.fade === b.fade && a.name === b.name
    && a.order === b.order;
}

function feature({ id, kind, icon, fade: strength, name, order, lat, lon }: Marker): GeoJSON.Feature {
  return {
    type: "Feature",
    properties: { id, kind, icon, fade: strength, name, order },
    geometry: { type: "Point", coordinates: [lon, lat] },
  };
}
