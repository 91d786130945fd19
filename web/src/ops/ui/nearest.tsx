// Who could fetch it soonest, as a list to choose from.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError } from "../api.ts";
import type { Candidate } from "../nearest.ts";
import { nearest } from "../nearest.ts";
import type { NearbyCourier, Place } from "../../protocol.ts";
import { distance, span, stopsWord } from "../words.ts";
import { useRoom } from "./context.ts";

const radius = 15_000;
const again = 10_000;
/** A fix older than this is named, because the minutes then say where the courier was. */
const worthSaying = 60_000;

export function Nearest({ to, except, chosen, onChoose }: {
  to: Place;
  except: string | null;
  chosen?: string | null;
  onChoose: (courier: NearbyCourier) => void;
}) {
  const { api, desk } = useRoom();
  const candidates = useSignal<Candidate[] | null>(null);
  const wrong = useSignal("");
  const { lat, lon } = to;
  useEffect(() => {
    let wanted = true;
    const read = () => api.couriersNear({ lat, lon }, radius).then(
      ({ items }) => {
        if (!wanted) return;
        wrong.value = "";
        candidates.value = nearest(items.filter(({ id }) => id !== except), Date.now());
      },
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (wanted) wrong.value = error.message;
      },
    );
    void read();
    const timer = setInterval(() => void read(), again);
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [api, lat, lon, except, candidates, wrong]);

  if (wrong.value) return <p class="soft">{wrong}</p>;
  if (!candidates.value) return <p class="soft">Looking who is near …</p>;
  if (candidates.value.length === 0) {
    return <p class="soft">Nobody on shift within {distance(radius)} has a position. It can wait without a courier.</p>;
  }
  return (
    <ul class="candidates" aria-label="Nearest couriers">
      {candidates.value.map(({ courier, minutes, free, age }) => (
        <li key={courier.id}>
          <button
            type="button"
            class="candidate"
            aria-pressed={chosen === undefined ? undefined : chosen === courier.id}
            onClick={() => onChoose(courier)}
            onMouseEnter={() => { desk.hovered.value = courier.id; }}
            onMouseLeave={() => { desk.hovered.value = null; }}
          >
            <span class="candidate-name">{courier.name}</span>
            <span class="candidate-minutes">{minutes} min</span>
            <span class="candidate-facts">
              {courier.vehicle} · {free ? "free" : `busy, ${stopsWord(courier.stops)}`} · {distance(courier.distance_m ?? 0)}
              {age > worthSaying ? ` · seen ${span(age)} ago` : ""}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
