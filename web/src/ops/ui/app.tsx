// The whole page, once there is a key.

import { effect, useComputed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { keepBookmark } from "../bookmark.ts";
import { listenToKeys } from "../hands.ts";
import type { OpsMap } from "../mapview.ts";
import { Bar } from "./bar.tsx";
import { RoomContext } from "./context.ts";
import type { Room } from "./context.ts";
import { Dialogs } from "./dialogs.tsx";
import { ListPane } from "./list.tsx";
import { MapPane } from "./mappane.tsx";
import { NoticeBar } from "./notice.tsx";
import { Sheet } from "./sheet.tsx";
import { SignIn } from "./signin.tsx";

export function App({ room, provider, onKey }: { room: Room; provider: string; onKey: (key: string) => void }) {
  const { desk } = room;
  const refused = useComputed(() => desk.link.value === "refused");
  if (refused.value) return <SignIn entry="refused" failure={null} provider={provider} onKey={onKey} />;
  return (
    <RoomContext.Provider value={room}>
      <Desk room={room} />
    </RoomContext.Provider>
  );
}

function Desk({ room }: { room: Room }) {
  const { desk, sync } = room;
  const map = useRef<OpsMap | null>(null);
  useEffect(() => {
    keepBookmark(desk, () => { if (desk.view.value) map.current?.go(desk.view.value); });
    listenToKeys(desk);
    void sync.start();
    const stopTitle = effect(() => {
      const { late, silent } = desk.counts.value;
      document.title = late + silent > 0 ? `${late + silent} need you · Hotfoot` : "Live map · Hotfoot";
    });
    // What the list is narrowed to, the map and its clusters are narrowed to as well.
    const stopNarrowing = effect(() => {
      const narrowed = desk.filter.value !== "all" || desk.query.value.trim() !== "";
      sync.narrow(narrowed ? desk.rows.value.filter((row) => row.courier).map((row) => row.id) : null);
    });
    return () => {
      stopTitle();
      stopNarrowing();
    };
  }, [desk, sync]);
  const open = desk.draft.value !== null || desk.selection.value !== null;
  return (
    <div class={`desk ${open ? "has-sheet" : ""}`}>
      <Bar />
      <ListPane />
      <MapPane onMap={(drawn) => { map.current = drawn; }} />
      <Sheet />
      <NoticeBar />
      <Dialogs />
    </div>
  );
}
