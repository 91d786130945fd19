// What happened to a delivery, the newest first, read again whenever its version moves on.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError } from "../api.ts";
import type { Delivery, Event } from "../../protocol.ts";
import { clock, eventWord } from "../words.ts";
import { useRoom } from "./context.ts";

export function Timeline({ title, delivery }: { title: string; delivery: Delivery }) {
  const { api, desk } = useRoom();
  const events = useSignal<Event[] | null>(null);
  const wrong = useSignal("");
  useEffect(() => {
    let wanted = true;
    api.events(delivery.id).then(
      (list) => {
        if (!wanted) return;
        events.value = list.items;
        wrong.value = "";
      },
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (wanted) wrong.value = error.message;
      },
    );
    return () => { wanted = false; };
  }, [api, delivery.id, delivery.ver, events, wrong]);
  const now = desk.now.value;
  return (
    <>
      <h3>{title}</h3>
      {wrong.value ? <p class="soft">{wrong}</p> : null}
      <ol class="timeline">
        {(events.value ?? []).toReversed().map((event) => (
          <li key={event.ver}>
            <time dateTime={event.at}>{clock(Date.parse(event.at), now)}</time>
            <span>
              {eventWord(event)}
              {event.proof?.left_at ? `, left ${event.proof.left_at}` : ""}
              {event.proof?.name ? `, taken by ${event.proof.name}` : ""}
              {event.reason ? <span class="soft"> {event.reason}</span> : null}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}
