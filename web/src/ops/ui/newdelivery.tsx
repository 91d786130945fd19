// A new delivery: two places, typed or clicked on the map, whoever is nearest, and what else is known.

import { useComputed, useSignal } from "@preact/signals";
import type { Draft } from "../desk.ts";
import { knownPlaces } from "../places.ts";
import type { NearbyCourier } from "../../protocol.ts";
import { promised } from "../promise.ts";
import { placeWord } from "../words.ts";
import { useRoom } from "./context.ts";
import { Nearest } from "./nearest.tsx";
import { PlaceField } from "./placefield.tsx";
import { SheetFrame } from "./sheetframe.tsx";

export function NewDeliverySheet() {
  const { desk, actions } = useRoom();
  const courier = useSignal<NearbyCourier | null>(null);
  const busy = useSignal(false);
  const tried = useSignal(false);
  const places = useComputed(() => (desk.listed.value, {
    pickup: knownPlaces(desk.ledger.all(), "pickup"),
    dropoff: knownPlaces(desk.ledger.all(), "dropoff"),
  }));
  const draft = desk.draft.value;
  if (!draft) return null;
  const change = (part: Partial<Draft>) => { desk.draft.value = { ...draft, ...part }; };

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    tried.value = true;
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const missing = draft?.pickup ? "dropoff" : "pickup";
    if (!draft?.pickup || !draft.dropoff) return document.getElementById(`place-${missing}`)?.focus();
    if (busy.value) return;
    busy.value = true;
    const window = promised(text("from"), text("to"), Date.now());
    const made = await actions.create({
      pickup: draft.pickup,
      dropoff: draft.dropoff,
      ...(text("number") ? { external_id: text("number") } : {}),
      ...(text("recipient") ? { recipient: { name: text("recipient"), ...(text("phone") ? { phone: text("phone") } : {}) } } : {}),
      ...(window ? { window } : {}),
      ...(text("note") ? { note: text("note") } : {}),
      ...(courier.value ? { courier_id: courier.value.id } : {}),
    }, courier.value?.name ?? null);
    if (!made) busy.value = false;
  }

  return (
    <SheetFrame title="New delivery">
      <form class="form" onSubmit={(event) => void submit(event)} noValidate>
        <PlaceField
          end="pickup" title="Pickup" draft={draft} known={places.value.pickup} missing={tried.value && !draft.pickup}
          onChange={change}
        />
        <PlaceField
          end="dropoff" title="Drop-off" draft={draft} known={places.value.dropoff} missing={tried.value && !draft.dropoff}
          onChange={change}
        />
        <fieldset>
          <legend>Courier</legend>
          {draft.pickup ? (
            <Nearest
              to={draft.pickup}
              except={null}
              chosen={courier.value?.id ?? null}
              onChoose={(chosen) => { courier.value = courier.value?.id === chosen.id ? null : chosen; }}
            />
          ) : <p class="soft">Once the pickup is known, whoever is nearest stands here.</p>}
        </fieldset>
        <details>
          <summary>Number, recipient, time, note</summary>
          <label>Order number<input name="number" autocomplete="off" maxLength={100} /></label>
          <label>Recipient<input name="recipient" autocomplete="off" maxLength={100} /></label>
          <label>Phone<input name="phone" type="tel" autocomplete="off" maxLength={40} /></label>
          <div class="pair">
            <label>Promised from<input name="from" type="time" /></label>
            <label>until<input name="to" type="time" /></label>
          </div>
          <label>Note for the courier<input name="note" autocomplete="off" maxLength={500} /></label>
        </details>
        <button type="submit" class="primary wide" disabled={busy.value}>
          {courier.value ? `Create and give to ${courier.value.name}` : "Create"}
        </button>
        <p class="soft">
          {draft.pickup && draft.dropoff ? `${placeWord(draft.pickup)} → ${placeWord(draft.dropoff)}` : "It can be undone right after."}
        </p>
      </form>
    </SheetFrame>
  );
}
