// A new courier: a name, a vehicle, and then, once, the token for the phone.

import { useSignal } from "@preact/signals";
import { ApiError } from "../api.ts";
import { vehicles } from "../moves.ts";
import type { Vehicle } from "../../protocol.ts";
import { useRoom } from "./context.ts";

export function NewCourier({ onDone }: { onDone: () => void }) {
  const { api } = useRoom();
  const made = useSignal<{ name: string; token: string } | null>(null);
  const wrong = useSignal("");

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const name = String(form.get("name") ?? "").trim();
    if (name === "") {
      wrong.value = "A name is needed.";
      return;
    }
    try {
      made.value = await api.createCourier({ name, vehicle: form.get("vehicle") as Vehicle });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      wrong.value = error.message;
    }
  }

  if (made.value) {
    return (
      <>
        <p>{made.value.name} is known now. This token goes into the courier’s phone; it is shown only here and now.</p>
        <p><code class="token">{made.value.token}</code></p>
        <p class="soft">{made.value.name} appears in the list after going on shift.</p>
        <p class="acts">
          <button type="button" onClick={() => void navigator.clipboard.writeText(made.value?.token ?? "")}>Copy</button>
          <button type="button" class="primary" onClick={onDone}>Done</button>
        </p>
      </>
    );
  }
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <label>Name<input name="name" autocomplete="off" maxLength={100} /></label>
      <label>
        Vehicle
        <select name="vehicle">{vehicles.map((vehicle) => <option key={vehicle}>{vehicle}</option>)}</select>
      </label>
      {wrong.value ? <p class="is-late" role="alert">{wrong}</p> : null}
      <p class="acts">
        <button type="button" onClick={onDone}>Cancel</button>
        <button type="submit" class="primary">Create</button>
      </p>
    </form>
  );
}
