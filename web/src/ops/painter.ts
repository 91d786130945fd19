// Brings the map to what the desk knows, never oftener than the screen shows pictures, and goes on by itself only while
// something glides. A change the map is still drawing is waited for, so pictures never queue up. Few couriers are drawn one
// by one, with their names; many as a crowd, for which a glide costs nothing here.

import { effect } from "@preact/signals";
import type { Desk } from "./desk.ts";
import type { Courier, Fix } from "./fleet.ts";
import type { Point } from "./glide.ts";
import { Glide, snapped } from "./glide.ts";
import type { OpsMap } from "./mapview.ts";
import type { Marker } from "./markers.ts";
import { courierMarker, crowdMember, waitingMarker } from "./markers.ts";

/** More than this many at once are drawn as a crowd: of so many nobody reads the names. */
const mostSingle = 300;

/** A glide leaves every other picture of the screen to the rest of the page, and more on a machine that struggles. */
const rest = 2;
const longestRest = 250;

type Located = Courier & { fix: Fix };

export class Painter {
  readonly #desk: Desk;
  readonly #map: OpsMap;
  readonly #still: boolean;
  readonly #glide = new Glide();
  #changed = true;
  #single: Located[] = [];
  #waiting: Marker[] = [];
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
      this.#changed = true;
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
    if (this.#changed) this.#sort(now);
    this.#changed = false;
    const drawn = this.#map.setMarkers([...this.#single.map((courier) => this.#marker(courier, now)), ...this.#waiting]);
    this.#map.setClusters(this.#desk.fleet.clusters);
    this.#lookAt(now);
    if (this.#map.crowdMoving) this.#map.repaint();
    if (drawn) this.#paintedAt = at;
    if (!drawn || this.#map.crowdMoving || this.#single.some(({ id }) => this.#glide.moving(id, now))) this.#ask();
  }

  /** Sorts out who is drawn, and whether singly or as one of a crowd. Whoever is selected is always drawn singly. */
  #sort(now: number): void {
    const { fleet, rows, rowOf, shown, selection } = this.#desk;
    const chosen = selection.value?.id;
    const drawn: Located[] = [];
    for (const courier of fleet.couriers.values()) {
      if (!courier.fix || !rowOf.value.has(courier.id)) continue;
      if (courier.id === chosen || (courier.inView && shown.value.has(courier.id))) drawn.push(courier as Located);
    }
    const crowded = drawn.length > mostSingle;
    this.#single = crowded ? drawn.filter(({ id }) => id === chosen) : drawn;
    this.#glide.keep(new Set(this.#single.map(({ id }) => id)));
    for (const { id, fix } of this.#single) this.#glide.aim(id, fix, fix.at, now, this.#still);
    const crowd = crowded ? drawn.filter(({ id }) => id !== chosen) : [];
    this.#map.setCrowd(crowd.map((courier) => crowdMember(courier, courier.fix, rowOf.value.get(courier.id)!, now)), this.#still);
    this.#waiting = rows.value.flatMap((row) => (row.trouble && row.delivery && !row.courier ? [waitingMarker(row.delivery, row)] : []));
  }

  #marker(courier: Located, now: number): Marker {
    const place = snapped(this.#glide.place(courier.id, now) ?? courier.fix, this.#map.view().zoom);
    return courierMarker(courier, courier.fix, this.#desk.rowOf.value.get(courier.id)!, place, now);
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
    return this.#glide.place(id, now) ?? this.#map.placeInCrowd(id) ?? fleet.couriers.get(id)?.fix ?? ledger.get(id)?.pickup ?? null;
  }
}
