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
          placeholder="Coordinates or a known place"
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
          <Pin />
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

function Pin() {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M10 18s5.5-5.6 5.5-9.8a5.5 5.5 0 0 0-11 0C4.5 12.4 10 18 10 18Z" />
      <circle cx="10" cy="8.2" r="1.9" />
    </svg>
  );
}

function hint(picking: boolean, missing: boolean, unknown: boolean): string {
  if (picking) return "Click the place on the map, or type it.";
  if (unknown) return "Not a place we know. Click it on the map, and this becomes its address.";
  return missing ? "Needed: type coordinates, or click it on the map." : "";
}
