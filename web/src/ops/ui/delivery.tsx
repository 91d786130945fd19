// One delivery: where it stands, who has it, what can be done about it, and what happened so far.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { select } from "../desk.ts";
import { canAssign, canCancel, canUnassign } from "../moves.ts";
import type { Delivery } from "../../protocol.ts";
import { reason } from "../reason.ts";
import { deliveryWord, placeWord, statusWord, windowWord } from "../words.ts";
import { useRoom } from "./context.ts";
import { Nearest } from "./nearest.tsx";
import { SheetFrame } from "./sheetframe.tsx";
import { Timeline } from "./timeline.tsx";

export function DeliverySheet({ id }: { id: string }) {
  const { desk, sync } = useRoom();
  void desk.listed.value;
  const looked = useSignal(false);
  useEffect(() => {
    void sync.readDelivery(id).then(() => { looked.value = true; });
  }, [id, looked, sync]);
  const delivery = desk.ledger.get(id);
  if (!delivery) {
    return (
      <SheetFrame title="Delivery">
        <p>{looked.value ? "There is no such delivery, or this key may not see it." : "Looking …"}</p>
      </SheetFrame>
    );
  }
  const row = desk.rowOf.value.get(id) ?? (delivery.courier_id === null ? undefined : desk.rowOf.value.get(delivery.courier_id));
  const trouble = row?.trouble && row.delivery?.id === id ? row : null;
  return (
    <SheetFrame title={deliveryWord(delivery)} under={statusWord[delivery.status]}>
      {trouble ? <p class={`trouble is-${trouble.trouble}`}>{reason(trouble, desk.fleet, desk.ledger, desk.now.value)}</p> : null}
      <Facts delivery={delivery} />
      <Acts delivery={delivery} />
      <Timeline title="What happened so far" delivery={delivery} />
    </SheetFrame>
  );
}

function Facts({ delivery }: { delivery: Delivery }) {
  const { desk } = useRoom();
  const { courier, courier_id: courierId, pickup, dropoff, window, recipient, note } = delivery;
  const name = courier?.name ?? (courierId === null ? undefined : desk.fleet.couriers.get(courierId)?.name);
  return (
    <dl class="facts">
      <dt>Courier</dt>
      <dd>
        {courierId === null
          ? "Nobody yet"
          : <button type="button" class="link" onClick={() => select(desk, { kind: "courier", id: courierId })}>{name ?? "Courier"}</button>}
      </dd>
      <dt>Pickup</dt>
      <dd>{pickup.name && pickup.address ? `${pickup.name}, ${pickup.address}` : placeWord(pickup)}</dd>
      <dt>Drop-off</dt>
      <dd>{placeWord(dropoff)}</dd>
      {window ? <><dt>Promised</dt><dd>{windowWord(window, desk.now.value)}</dd></> : null}
      {recipient ? <><dt>For</dt><dd>{recipient.name}{recipient.phone ? <> · <a href={`tel:${recipient.phone}`}>{recipient.phone}</a></> : null}</dd></> : null}
      {note ? <><dt>Note</dt><dd>{note}</dd></> : null}
    </dl>
  );
}

function Acts({ delivery }: { delivery: Delivery }) {
  const { actions } = useRoom();
  const choosing = useSignal(delivery.status === "created");
  const { status } = delivery;
  return (
    <>
      {canAssign(status) && choosing.value ? (
        <Nearest
          to={delivery.pickup}
          except={delivery.courier_id}
          onChoose={(courier) => {
            choosing.value = false;
            void actions.assign(delivery, courier);
          }}
        />
      ) : null}
      <p class="acts">
        {canAssign(status) && !choosing.value ? (
          <button type="button" onClick={() => { choosing.value = true; }}>
            {status === "created" ? "Find a courier" : "Give to somebody else"}
          </button>
        ) : null}
        {canUnassign(status) ? (
          <button type="button" onClick={() => void actions.unassign(delivery)}>Take back</button>
        ) : null}
        {canCancel(status) ? (
          <button type="button" class="danger" onClick={() => void actions.cancel(delivery)}>Cancel …</button>
        ) : null}
      </p>
      <h3>The customer’s page</h3>
      <p class="acts">
        <a class="button" href={delivery.tracking_url} target="_blank" rel="noopener noreferrer">Open</a>
        <button type="button" onClick={() => void actions.copyLink(delivery)}>Copy the link</button>
        <button type="button" class="danger" onClick={() => void actions.revokeLink(delivery)}>Switch off …</button>
      </p>
    </>
  );
}
