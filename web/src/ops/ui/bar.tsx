// The bar: what is going on in one line, and how live this page really is.

import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { filters } from "../address.ts";
import type { Filter } from "../address.ts";
import { useRoom } from "./context.ts";
import type { Link } from "../desk.ts";
import { startDelivery } from "../hands.ts";
import { signOut } from "../session.ts";
import { span } from "../words.ts";

const refresh = 500;

export function Bar() {
  const { desk } = useRoom();
  return (
    <header class="bar">
      <h1 class="brand">Hotfoot</h1>
      <Numbers />
      <Pulse />
      <button type="button" class="primary" onClick={() => startDelivery(desk)}>New delivery</button>
      <button type="button" class="round" aria-label="Keys" title="Keys ( ? )" onClick={() => { desk.dialog.value = "help"; }}>?</button>
      <button type="button" class="round" aria-label="Sign out" title="Sign out" onClick={() => void signOut().then(() => location.reload())}>
        <svg class="door" viewBox="0 0 16 16" aria-hidden="true"><path d="M6 2H2v12h4M6 8h8M11 5l3 3-3 3" /></svg>
      </button>
    </header>
  );
}

function Numbers() {
  const { desk } = useRoom();
  const parts = useComputed(() => {
    void desk.listed.value;
    const { counts, fleet } = desk;
    const active = fleet.stats?.active;
    return [
      { text: `${fleet.stats?.couriers_on_duty ?? fleet.couriers.size} on shift`, filter: "all" },
      ...(active === undefined ? [] : [{ text: `${active} active`, filter: "all" }]),
      { text: `${counts.value.late} late`, filter: "late" },
      { text: `${counts.value.silent} silent`, filter: "silent" },
      { text: `${counts.value.waiting} waiting`, filter: "waiting" },
    ];
  });
  return (
    <p class="numbers">
      {parts.value.map(({ text, filter }) => {
        const zero = text.startsWith("0 ");
        return <span key={text} class={zero ? "" : `is-${filter}`}>{text}</span>;
      })}
    </p>
  );
}

function Pulse() {
  const { desk } = useRoom();
  const text = useSignal("");
  const state = useComputed(() => desk.link.value);
  useEffect(() => {
    const update = () => {
      const now = performance.now();
      text.value = pulse(desk.link.value, desk.meter.quiet(now), desk.meter.perSecond(now));
    };
    update();
    const timer = setInterval(update, refresh);
    return () => clearInterval(timer);
  }, [desk, text]);
  return (
    <p class={`pulse is-${state.value}`} title="Since the server was last heard · pictures the map painted in the last second">
      {text}
    </p>
  );
}

function pulse(link: Link, quiet: number | null, pictures: number): string {
  if (link !== "live") return quiet === null ? link : `${link} · heard ${span(quiet)} ago`;
  if (quiet === null) return "live";
  return `live ${quiet < 10_000 ? `${(quiet / 1000).toFixed(1)} s` : span(quiet)} · ${pictures} fps`;
}

const filterWords: Record<Filter, string> = { all: "All", late: "Late", silent: "Silent", waiting: "Waiting" };

export function Filters() {
  const { desk } = useRoom();
  return (
    <div class="filters" role="group" aria-label="Show">
      {filters.map((filter) => (
        <button
          key={filter}
          type="button"
          class={`chip is-${filter}`}
          aria-pressed={desk.filter.value === filter}
          onClick={() => { desk.filter.value = filter; }}
        >
          {filterWords[filter]} <span class="count">{desk.counts.value[filter]}</span>
        </button>
      ))}
    </div>
  );
}
