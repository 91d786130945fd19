// Sets the map up and ties it to the desk: hands on the map change the desk, the desk's selection shows on the map. It
// arrives together with the map library, after the list is on the screen.

import { effect } from "@preact/signals";
import { createMap } from "../map.ts";
import { select } from "./desk.ts";
import type { Desk } from "./desk.ts";
import { OpsMap } from "./mapview.ts";
import type { Hands } from "./mapview.ts";
import { Painter } from "./painter.ts";
import type { Room } from "./ui/context.ts";

/** The room a sheet takes from the map; css/sheet.css has the same number. */
const sheetWidth = 384;

/** Where to look when there is nothing to look at: the city of the built-in basemap. */
const nowhere = { lat: 37.7749, lon: -122.4194, zoom: 11.5 };

export interface Stage {
  map: OpsMap;
  strike: () => void;
}

/** Null where there is no WebGL. */
export async function raise(element: HTMLElement, room: Room): Promise<Stage | null> {
  const { desk, sync } = room;
  const start = desk.view.value ?? nowhere;
  const base = createMap(element, { center: [start.lon, start.lat], zoom: start.zoom, fadeDuration: 0 });
  if (!base) return null;
  await base.ready;
  const map = new OpsMap(base, hands(desk, sync));
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const stopPainter = new Painter(desk, map, still).start();
  const stopShowing = showSelection(room, map);
  firstLook(desk, map);
  map.report();
  return {
    map,
    strike() {
      stopPainter();
      stopShowing();
      base.map.remove();
    },
  };
}

function hands(desk: Desk, sync: Room["sync"]): Hands {
  return {
    select: (kind, id) => select(desk, { kind, id }),
    hover: (id) => { desk.hovered.value = id; },
    pick(place) {
      const draft = desk.draft.value;
      if (!draft?.picking) return false;
      const next = draft.picking === "pickup" && !draft.dropoff ? "dropoff" : null;
      desk.draft.value = { ...draft, [draft.picking]: rounded(place), picking: next };
      return true;
    },
    moved(viewport, view) {
      sync.show(viewport);
      desk.view.value = view;
    },
    grabbed: () => { desk.following.value = false; },
    painted: () => desk.meter.painted(performance.now()),
  };
}

/** Without a view in the address the first look is at everybody, as soon as it is known where they are. */
function firstLook(desk: Desk, map: OpsMap): void {
  if (desk.view.value) return;
  const stop = effect(() => {
    void desk.listed.value;
    const places = [...desk.fleet.couriers.values()].flatMap(({ fix }) => (fix ? [fix] : []));
    if (!desk.loaded.value) return;
    map.fit(places, false);
    queueMicrotask(() => stop());
  });
}

/** Keeps the stops and the way of what is selected, or of the new delivery, on the map. */
function showSelection({ desk, api }: Room, map: OpsMap): () => void {
  const wide = matchMedia("(min-width: 760px)");
  let revealed: string | null = null;
  let trailOf = "";
  return effect(() => {
    void desk.listed.value;
    const selection = desk.selection.value;
    const draft = desk.draft.value;
    const delivery = selection?.kind === "delivery" ? desk.ledger.get(selection.id) : undefined;
    const courier = selection?.kind === "courier" ? desk.fleet.couriers.get(selection.id) : undefined;

    map.setInset((draft || selection) && wide.matches ? sheetWidth : 0);
    if (draft) {
      map.setStops([
        ...(draft.pickup ? [{ place: draft.pickup, kind: "pickup" as const, label: "P" }] : []),
        ...(draft.dropoff ? [{ place: draft.dropoff, kind: "dropoff" as const, label: "D" }] : []),
      ]);
    } else if (delivery) {
      map.setStops([
        { place: delivery.pickup, kind: "pickup", label: "P" },
        { place: delivery.dropoff, kind: "dropoff", label: "D" },
      ]);
    } else if (courier) {
      map.setStops(desk.ledger.of(courier.id)
        .map(({ dropoff }, index) => ({ place: dropoff, kind: "dropoff", label: String(index + 1) })));
    } else {
      map.setStops([]);
    }

    const id = selection?.id ?? null;
    if (id !== revealed && (id === null || delivery || courier)) {
      revealed = id;
      if (delivery) map.reveal([delivery.pickup, delivery.dropoff]);
      else if (courier?.fix) map.reveal([courier.fix]);
    }

    const trail = delivery ? `${delivery.id} ${delivery.ver}` : "";
    if (trail === trailOf) return;
    trailOf = trail;
    if (!delivery) {
      map.setTrail(null);
      return;
    }
    // The way is a help to the eye; where it cannot be read the rest of the page is as good.
    api.track(delivery.id).then(({ geometry }) => geometry, () => null).then((way) => {
      if (trailOf === trail) map.setTrail(way && way.coordinates.length > 1 ? way : null);
    });
  });
}

function rounded({ lat, lon }: { lat: number; lon: number }): { lat: number; lon: number } {
  return { lat: Number(lat.toFixed(5)), lon: Number(lon.toFixed(5)) };
}
