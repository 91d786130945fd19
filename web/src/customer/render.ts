// Writes what is known into the page the server sent. Nothing is written that is already there, so a reader's selection,
// an open timeline and a screen reader's place survive every frame.
import type { DotView } from "../dot.ts";
import type { EtaPhrase } from "../eta.ts";
import type { Words } from "../i18n/words.ts";
import { FINAL } from "../protocol.ts";
import type { Delivery } from "./delivery.ts";
import type { Connection } from "./feed.ts";
import { bringer, details, headline, late, names, promised } from "./phrases.ts";
import { steps, timeline } from "./progress.ts";
import { tabIcon, tabTitle } from "./tab.ts";

export interface Sight {
  delivery: Delivery;
  eta: EtaPhrase | null;
  dot: DotView | null;
  connection: Connection;
  now: number;
  /** When the server was last heard of. */
  heardAt: number;
}

export type Chip = "live" | "estimated" | "waiting" | "delayed" | "connecting" | "reconnecting" | "offline" | null;

/** The one word beside the headline: first whether we are connected, then how good the dot is. */
export function chip({ delivery, dot, connection }: Pick<Sight, "delivery" | "dot" | "connection">): Chip {
  if (FINAL.has(delivery.status) || connection === "ended") return null;
  if (connection !== "live") return connection;
  if (!delivery.live) return "delayed";
  if (!delivery.visible) return "live";
  return dot === null || dot.state === "old" ? "waiting" : dot.state === "fresh" ? "live" : "estimated";
}

export class Renderer {
  readonly #words: Words;
  readonly #written = new Map<string, string>();

  constructor(words: Words) {
    this.#words = words;
  }

  render(sight: Sight): void {
    const { delivery, eta, now } = sight;
    const words = this.#words;
    document.body.dataset.status = delivery.status;
    this.#text("merchant", delivery.merchant.name);
    this.#text("headline", headline(words, delivery, eta));
    this.#text("late", late(words, delivery, now));
    this.#text("window", promised(words, delivery, now));
    this.#text("courier", bringer(words, delivery));
    this.#text("address", delivery.dropoff.address ?? delivery.dropoff.name ?? "");
    this.#list("details", details(words, delivery).map((line) => node("p", line)));
    this.#list("steps", steps(words, delivery).map((step) => {
      const item = node("li", "", node("span", step.label), node("span", `, ${step.spoken}`));
      item.dataset.state = step.state;
      item.firstElementChild!.className = "step-label";
      item.lastElementChild!.className = "spoken";
      return item;
    }));
    this.#list("timeline", timeline(words, delivery).map((moment) => {
      const at = Date.parse(moment.at);
      const time = node("time", words.clock(at));
      time.setAttribute("datetime", moment.at);
      const label = node("span", moment.label);
      if (moment.note !== "") label.append(node("small", moment.note));
      return node("li", "", time, label);
    }));
    this.#state(sight);
    this.#tab(tabTitle(words, delivery, eta), tabIcon(delivery, now));
  }

  announce(text: string): void {
    element("announce").textContent = text;
  }

  #state(sight: Sight): void {
    const { delivery, dot, now } = sight;
    const words = this.#words;
    const state = chip(sight);
    const box = element("state");
    box.hidden = state === null;
    if (state !== null) {
      box.dataset.state = state;
      this.#text("state-word", words.text(`state.${state}`));
    }
    const hinted = state === "waiting" || state === "delayed" || state === "offline";
    this.#text("hint", hinted ? words.text(`state.hint.${state}`, names(words, delivery)) : "");
    const updated = FINAL.has(delivery.status) ? ""
      : delivery.visible && dot !== null ? words.text("position.ago", { ago: words.ago(dot.ageMs) })
        : words.text("updated.ago", { ago: words.ago(now - sight.heardAt) });
    this.#text("updated", updated);
  }

  #text(id: string, text: string): void {
    if (this.#written.get(id) === text) return;
    this.#written.set(id, text);
    const target = element(id);
    if (target.textContent !== text) target.textContent = text;
  }

  #list(id: string, items: HTMLElement[]): void {
    const markup = items.map((item) => item.outerHTML).join("");
    if (this.#written.get(id) === markup) return;
    this.#written.set(id, markup);
    element(id).replaceChildren(...items);
  }

  #tab(title: string, icon: string): void {
    if (document.title !== title) document.title = title;
    if (this.#written.get("icon") === icon) return;
    this.#written.set("icon", icon);
    document.querySelector<HTMLLinkElement>('link[rel="icon"]')!.href = icon;
  }
}

export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

function node(name: string, text: string, ...children: Node[]): HTMLElement {
  const made = document.createElement(name);
  if (text !== "") made.textContent = text;
  made.append(...children);
  return made;
}
