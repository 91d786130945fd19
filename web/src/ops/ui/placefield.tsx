// One end of a new delivery: coordinates, a place seen before, or a click on the map. Words typed before the click become
// the address of the place clicked.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Draft } from "../desk.ts";
import { label, placeNamed } from "../places.ts";
import type { Place } from "../../protocol.ts";
import { placeWord } from "../words.ts";

export function PlaceField({ end, title, draft, known, missing, onChange }: {
  end: "pickup" | "dropoff";
  title: string;
  draft: Draft;
  known: readonly Place[];
  missing: boolean;
  onChange: (part: Partial<Draft>) => void;
}) {
  const text = useSignal("");
  const place = draft[end];
  const picking = draft.picking === end;
  const unknown = text.value.trim() !== "" && !place;

  // A click on the map fills the field; what was typed before it stays, as the address.
  useEffect(() => {
    if (!place || placeNamed(text.value, known)) return;
    const typed = text.value.trim();
    if (typed !== "" && place.address === undefined) onChange({ [end]: { ...place, address: typed } });
    else text.value = placeWord(place);
  }, [place]);

  return (
    <div class="field">
      <label for={`place-${end}`}>{title}</label>
      <div class="field-row">
        <input
          id={`place-${end}`}
          list={`known-${end}`}
          autocomplete="off"
          placeholder="37.78212, -122.41107 or a known place"
          value={text.value}
          aria-invalid={missing}
          aria-describedby={`hint-${end}`}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            onChange({ [end]: placeNamed(text.value, known) });
          }}
        />
        <button
          type="button"
          class="round"
          aria-pressed={picking}
          aria-label={`Choose the ${title.toLowerCase()} on the map`}
          title="Choose on the map"
          onClick={() => onChange({ picking: picking ? null : end })}
        >
          ⌖
        </button>
      </div>
      <datalist id={`known-${end}`}>
        {known.slice(0, 50).map((seen) => <option key={label(seen)} value={label(seen)} />)}
      </datalist>
      <p id={`hint-${end}`} class={missing ? "hint is-late" : "hint"}>
        {hint(picking, missing, unknown)}
      </p>
    </div>
  );
}

function hint(picking: boolean, missing: boolean, unknown: boolean): string {
  if (picking) return "Click the place on the map, or type it.";
  if (unknown) return "Not a place we know. Click it on the map, and this becomes its address.";
  return missing ? "Needed: type coordinates, or click it on the map." : "";
}
