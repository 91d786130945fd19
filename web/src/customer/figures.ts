// The three figures on the customer's map, as elements: there are only ever these three.
import type { Marker } from "maplibre-gl";
import type { DotView } from "../dot.ts";
import type { Words } from "../i18n/words.ts";

const SVG = "http://www.w3.org/2000/svg";

export function svg(name: string, attributes: Record<string, string>, ...children: Element[]): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function figure(className: string, label: string, ...children: Element[]): HTMLElement {
  const made = document.createElement("div");
  made.className = className;
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", label);
  made.append(...children);
  return made;
}

export function courierElement(label: string): HTMLElement {
  const pulse = document.createElement("span");
  pulse.className = "courier-pulse";
  const age = document.createElement("span");
  age.className = "courier-age";
  age.hidden = true;
  return figure("courier", label, pulse, svg("svg", { viewBox: "0 0 30 30", class: "courier-body" },
    svg("path", { class: "body pointed", d: "M15 -7 C17.5 -1 27 4.5 27 15 A12 12 0 0 1 3 15 C3 4.5 12.5 -1 15 -7 Z" }),
    svg("circle", { class: "body round", cx: "15", cy: "15", r: "12" }),
    svg("circle", { class: "eye", cx: "15", cy: "15", r: "4.5" }),
  ), age);
}

export function doorElement(label: string): HTMLElement {
  return figure("door", label, svg("svg", { viewBox: "0 0 32 40", width: "32", height: "40" },
    svg("path", { class: "pin", d: "M16 39 C10 30 2 25 2 16 A14 14 0 0 1 30 16 C30 25 22 30 16 39 Z" }),
    svg("path", { class: "house", d: "M16 8 L25 16 H22.5 V23 H18 V18 H14 V23 H9.5 V16 H7 Z" }),
  ));
}

export function shopElement(): HTMLElement {
  const made = figure("shop", "");
  made.setAttribute("aria-hidden", "true");
  return made;
}

export function drawCourier(marker: Marker, look: DotView, words: Words, fade: boolean): void {
  const box = marker.getElement();
  if (box.dataset.state !== look.state) box.dataset.state = look.state;
  box.classList.toggle("headed", look.heading !== null);
  if (look.heading !== null) {
    box.querySelector(".pointed")!.setAttribute("transform", `rotate(${look.heading.toFixed(1)} 15 15)`);
  }
  const age = box.querySelector<HTMLElement>(".courier-age")!;
  age.hidden = look.state !== "old";
  if (!age.hidden) {
    const text = words.ago(look.ageMs);
    if (age.textContent !== text) age.textContent = text;
  }
  if (!fade) return;
  // It comes into sight where it is; nobody saw it cross the block.
  box.classList.add("away");
  setTimeout(() => box.classList.remove("away"), 50);
}
