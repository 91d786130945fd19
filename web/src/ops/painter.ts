// Brings the map to what the desk knows, never oftener than the screen shows pictures, and goes on by itself only while
// something glides. A change the map is still drawing is waited for, so pictures never queue up.

import { effect } from "@preact/signals";
import type { Desk } from "./desk.ts";
import type { Point } from "./glide.ts";
import { Glide, snapped } from "./glide.ts";
import type { OpsMap } from "./mapview.ts";
import type { Marker } from "./markers.ts";
import { courierMarker, waitingMarker } from "./markers.ts";

/** More than this many at once are moved without gliding: the eye follows a few, the crowd only has to be right. */
const mostGliding = 300;

/** A glide leaves every other picture of the screen to the rest of the page, and more on a machine that struggles. */
const rest = 2;
const longestRest = 250;

export class Painter {
  readonly #desk: Desk;
  readonly #map: OpsMap;
  readonly #still: boolean;
  readonly #glide = new Glide();
  #asked = 0;
  #paintedAt = 0;
  #calledAt = 0;
  #wait = 0;

  constructor(desk: Desk, map: OpsMap, still: boolean) {
    this.#desk = desk;
    this.#map = map;
    this.#still = still;
  }

  /** Paints whenever something the map shows changed. Answers how to stop. */
  start(): () => void {
    const stop = effect(() => {
      const { moved, rows, selection, hovered, marked, following, now } = this.#desk;
      void [moved.value, rows.value, selection.value, hovered.value, marked.value, following.value, now.value];
      this.#ask();
    });
    return () => {
      stop();
      cancelAnimationFrame(this.#asked);
    };
  }

  #ask(): void {
    if (this.#asked === 0) this.#asked = requestAnimationFrame((at) => this.#paint(at));
  }

  #paint(at: number): void {
    this.#asked = 0;
    const gap = at - this.#calledAt;
    this.#calledAt = at;
    if (gap < longestRest) this.#wait = Math.min(longestRest, gap * rest);
    if (at - this.#paintedAt < this.#wait * 0.9) return this.#ask();
    const now = Date.now();
    const { markers, gliding } = this.#markers(now);
    const drawn = this.#map.setMarkers(markers);
    this.#map.setClusters(this.#desk.fleet.clusters);
    this.#lookAt(now);
    if (drawn) this.#paintedAt = at;
    if (gliding || !drawn) this.#ask();
  }

  #markers(now: number): { markers: Marker[]; gliding: boolean } {
    const { fleet, rows, rowOf, selection } = this.#desk;
    const shown = new Set(rows.value.map((row) => row.id));
    const crowd = fleet.couriers.size > mostGliding;
    const { zoom } = this.#map.view();
    const markers: Marker[] = [];
    let gliding = false;
    for (const courier of fleet.couriers.values()) {
      const chosen = courier.id === selection.value?.id;
      const row = rowOf.value.get(courier.id);
      if (!courier.fix || !row || !(courier.inView || chosen) || !(shown.has(courier.id) || chosen)) {
        this.#glide.forget(courier.id);
        continue;
      }
      this.#glide.aim(courier.id, courier.fix, courier.fix.at, now, this.#still || (crowd && !chosen));
      const place = snapped(this.#glide.place(courier.id, now) ?? courier.fix, zoom);
      markers.push(courierMarker(courier, courier.fix, row, place, now));
      gliding ||= this.#glide.moving(courier.id, now);
    }
    for (const row of rows.value) if (row.trouble && row.delivery && !row.courier) markers.push(waitingMarker(row.delivery, row));
    return { markers, gliding };
  }

  #lookAt(now: number): void {
    const { selection, hovered, marked, following } = this.#desk;
    const selected = this.#placeOf(selection.value?.id ?? null, now);
    const pointed = hovered.value ?? marked.value;
    this.#map.setHalo(selected, pointed === selection.value?.id ? null : this.#placeOf(pointed, now));
    if (following.value && selected) this.#map.follow(selected);
  }

  #placeOf(id: string | null, now: number): Point | null {
    if (id === null) return null;
    const { fleet, ledger } = this.#desk;
    return this.#glide.place(id, now) ?? fleet.couriers.get(id)?.fix ?? ledger.get(id)?.pickup ?? null;
  }
}
