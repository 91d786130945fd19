// One courier: how fresh the position is, what is wrong, the stops in order, and what happened on the current one.

import { useEffect } from "preact/hooks";
import type { Courier } from "../fleet.ts";
import { select } from "../desk.ts";
import { reason } from "../reason.ts";
import { placeWord, span, statusWord, stopsWord, windowWord } from "../words.ts";
import { useRoom } from "./context.ts";
import { SheetFrame } from "./sheetframe.tsx";
import { Timeline } from "./timeline.tsx";

export function CourierSheet({ id }: { id: string }) {
  const { desk, sync } = useRoom();
  void desk.listed.value;
  const courier = desk.fleet.couriers.get(id);
  // The order of the stops may be changed by anybody and makes no event.
  useEffect(() => void sync.readRoute(id), [id, sync, courier?.stops]);
  if (!courier) {
    return (
      <SheetFrame title="Not on shift">
        <p>{desk.loaded.value ? "This courier is not on shift now, so there is no position to show." : "Looking …"}</p>
      </SheetFrame>
    );
  }
  const row = desk.rowOf.value.get(id);
  const stops = desk.ledger.of(id);
  const current = stops[0];
  return (
    <SheetFrame title={courier.name} under={<>{courier.vehicle}{courier.phone ? <> · <a href={`tel:${courier.phone}`}>{courier.phone}</a></> : null}</>}>
      {row?.trouble ? <p class={`trouble is-${row.trouble}`}>{reason(row, desk.fleet, desk.ledger, desk.now.value)}</p> : null}
      <FixLine courier={courier} />
      <p class="acts">
        <button
          type="button"
          aria-pressed={desk.following.value}
          disabled={!courier.fix}
          onClick={() => { desk.following.value = !desk.following.value; }}
        >
          {desk.following.value ? "Following" : "Follow"} <kbd>f</kbd>
        </button>
      </p>
      <h3>{courier.stops === 0 ? "No stops" : stopsWord(courier.stops)}</h3>
      {courier.stops === 0 ? <p class="soft">Free for a delivery.</p> : <Stops courier={courier} />}
      {current ? <Timeline title={`What happened: ${placeWord(current.dropoff)}`} delivery={current} /> : null}
    </SheetFrame>
  );
}

function FixLine({ courier }: { courier: Courier }) {
  const { desk } = useRoom();
  void desk.moved.value;
  const fix = courier.fix;
  if (!fix) return <p>No position on this shift yet.</p>;
  const facts = [
    fix.speed !== null && fix.speed >= 0.5 ? `${Math.round(fix.speed * 3.6)} km/h` : null,
    fix.accuracy !== null && fix.accuracy > 30 ? `±${Math.round(fix.accuracy)} m` : null,
    fix.battery !== null ? `battery ${Math.round(fix.battery * 100)} %` : null,
  ].filter(Boolean);
  return <p>Fix {span(desk.now.value - fix.at)} ago{facts.length > 0 ? ` · ${facts.join(" · ")}` : ""}</p>;
}

function Stops({ courier }: { courier: Courier }) {
  const { desk, actions } = useRoom();
  const stops = desk.ledger.of(courier.id);
  const ids = stops.map((delivery) => delivery.id);
  const now = desk.now.value;
  return (
    <ol class="stops">
      {stops.map((delivery, index) => {
        const late = delivery.window !== null && Date.parse(delivery.window.to) < now;
        return (
          <li key={delivery.id}>
            <button type="button" class="stop" onClick={() => select(desk, { kind: "delivery", id: delivery.id })}>
              <span class="stop-number" aria-hidden="true">{index + 1}</span>
              <span class="stop-place">{placeWord(delivery.dropoff)}</span>
              <span class={`stop-facts ${late ? "is-late" : ""}`}>
                {statusWord[delivery.status]}
                {delivery.window ? ` · ${windowWord(delivery.window, now)}` : ""}
                {late ? " · late" : ""}
              </span>
            </button>
            {index > 0 ? (
              <button
                type="button"
                class="round small"
                aria-label={`Go to ${placeWord(delivery.dropoff)} sooner`}
                title="Sooner"
                onClick={() => void actions.sooner(courier.id, ids, index)}
              >
                ↑
              </button>
            ) : null}
          </li>
        );
      })}
    </ol>
  );
}
