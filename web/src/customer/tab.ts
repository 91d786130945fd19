// The tab tells the story when the page is not looked at: minutes in the title, a ring that fills in the icon.
import type { EtaPhrase } from "../eta.ts";
import type { Words } from "../i18n/words.ts";
import type { Delivery } from "./delivery.ts";
import { fraction } from "./progress.ts";

export function tabTitle(words: Words, d: Delivery, eta: EtaPhrase | null): string {
  switch (d.status) {
    case "delivered": case "failed": case "cancelled": case "returned":
      return words.text(`tab.${d.status}`);
  }
  switch (eta?.kind) {
    case "now": return words.text("tab.now");
    case "about": return words.text("tab.minutes", { minutes: eta.minutes });
    case "range": return words.text("tab.minutes", { minutes: eta.high });
  }
  return words.text("tab.other");
}

const CIRCUMFERENCE = 2 * Math.PI * 12;

export function tabIcon(d: Delivery, now: number): string {
  const bad = d.status === "failed" || d.status === "cancelled" || d.status === "returned";
  const color = bad ? "#b3261e" : "#0b8a79";
  // In twentieths: an icon that changes with every second costs more than it says.
  const filled = Math.round(fraction(d, now) * 20) / 20;
  const middle = d.status === "delivered"
    ? `<circle cx="16" cy="16" r="14" fill="${color}"/><path d="M9 16.5l5 5 9-10" fill="none" stroke="#fff" stroke-width="3.5"/>`
    : bad
      ? `<circle cx="16" cy="16" r="14" fill="${color}"/><path d="M11 11l10 10M21 11l-10 10" stroke="#fff" stroke-width="3.5"/>`
      : `<circle cx="16" cy="16" r="12" fill="none" stroke="#9aa8a2" stroke-width="5"/>` +
        `<circle cx="16" cy="16" r="12" fill="none" stroke="${color}" stroke-width="5" transform="rotate(-90 16 16)" ` +
        `stroke-dasharray="${(filled * CIRCUMFERENCE).toFixed(1)} 100"/>`;
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${middle}</svg>`)}`;
}
