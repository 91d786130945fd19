// The map's place in the page. The map library arrives after the list, which does not need it; without WebGL the list
// stays alone and says so.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { OpsMap } from "../mapview.ts";
import { useRoom } from "./context.ts";

export function MapPane({ onMap }: { onMap: (map: OpsMap) => void }) {
  const room = useRoom();
  const container = useRef<HTMLDivElement>(null);
  const missing = useSignal(false);
  useEffect(() => {
    let stop = () => {};
    let gone = false;
    void import("../stage.ts").then(async ({ raise }) => {
      const stage = container.current && (await raise(container.current, room));
      if (!stage) {
        missing.value = true;
        // News comes only to who says what is shown; a list alone shows everything, from far away.
        room.sync.show({ bbox: [-180, -90, 180, 90], zoom: 0 });
      } else if (gone) {
        stage.strike();
      } else {
        stop = stage.strike;
        onMap(stage.map);
      }
    });
    return () => {
      gone = true;
      stop();
    };
  }, []);
  const picking = room.desk.draft.value?.picking ?? null;
  return (
    <main class={`map-pane ${picking ? "is-picking" : ""}`}>
      <div ref={container} class="map" role="region" aria-label="Map of couriers" />
      {missing.value ? <p class="map-missing">The map needs WebGL 2, which this browser does not offer. The list works without it.</p> : null}
      {picking ? <p class="map-hint">Click the {picking === "pickup" ? "pickup" : "drop-off"} on the map</p> : null}
    </main>
  );
}
