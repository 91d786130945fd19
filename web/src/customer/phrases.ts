// What a delivery means in words. The server's narrator (phrases.go) is its twin for the first sight of the page;
// test/phrases.json keeps the two saying the same.
import type { EtaPhrase } from "../eta.ts";
import type { Values, Words } from "../i18n/words.ts";
import { FINAL } from "../protocol.ts";
import type { Event } from "../protocol.ts";
import type { Delivery } from "./delivery.ts";

export function names(words: Words, d: Delivery): Values {
  return {
    courier: d.courier?.name || words.text("courier.someone"),
    courier_obj: d.courier?.name || words.text("courier.someone_obj"),
    merchant: d.merchant.name || words.text("merchant.someone"),
    merchant_obj: d.merchant.name || words.text("merchant.someone_obj"),
  };
}

/** The newest event of the status the delivery is in: its time, reason and proof. */
function lastEvent(d: Delivery): Event | undefined {
  return d.events.findLast((event) => event.status === d.status);
}

function etaText(words: Words, eta: EtaPhrase): string {
  switch (eta.kind) {
    case "overdue": return words.text("eta.overdue");
    case "now": return words.text("eta.now");
    case "about": return words.text("eta.about", { minutes: eta.minutes });
    case "range": return words.text("eta.range", { low: eta.low, high: eta.high });
    case "clock": return words.text("eta.clock", { from: words.clock(eta.from), to: words.clock(eta.to) });
  }
}

export function headline(words: Words, d: Delivery, eta: EtaPhrase | null): string {
  switch (d.status) {
    case "assigned": case "picked_up": case "en_route": case "arriving":
      if (eta !== null) return words.text("headline.eta", { eta: etaText(words, eta) });
      break;
    case "delivered": {
      const last = lastEvent(d);
      return last ? words.text("headline.delivered", { time: words.clock(Date.parse(last.at)) }) : words.text("event.delivered");
    }
  }
  return words.text(`headline.${d.status}`, names(words, d));
}

export function details(words: Words, d: Delivery): string[] {
  const say = (key: string) => words.text(key, names(words, d));
  const last = lastEvent(d);
  const lines: string[] = [];
  switch (d.status) {
    case "delivered":
      if (last?.proof?.left_at) lines.push(words.text("detail.left_at", { place: last.proof.left_at }));
      if (last?.proof?.name) lines.push(words.text("detail.received_by", { name: last.proof.name }));
      return [...lines, say("detail.delivered")];
    case "failed": case "cancelled": case "returned":
      if (last?.reason) lines.push(words.text("detail.reason", { reason: last.reason }));
      return [...lines, say(`detail.${d.status}`)];
    case "created": case "assigned":
      return [say(`detail.${d.status}`)];
  }
  const stops = d.stops_before;
  if (stops !== null && stops > 0) lines.push(words.count("detail.stops", stops, names(words, d)));
  if (d.status === "picked_up") return [...lines, say("detail.picked_up")];
  if (!d.visible) {
    if (d.why === "off") return [...lines, say("detail.off")];
    // With no stop before there is but one reason left: this merchant shows its couriers when they arrive.
    return [...lines, say(stops === 0 ? "detail.not_arriving" : "detail.not_yet")];
  }
  if (lines.length > 0) return lines;
  if (d.status === "arriving") return [words.text("detail.arriving")];
  return [say(stops === 0 ? "detail.next" : "detail.en_route")];
}

/** Who brings it and how; nobody before one is chosen, and nobody again once it is over. */
export function bringer(words: Words, d: Delivery): string {
  if (!d.courier?.name || FINAL.has(d.status)) return "";
  const { name, vehicle } = d.courier;
  return vehicle ? words.text("courier.with", { courier: name, vehicle: words.text(`vehicle.${vehicle}`) }) : name;
}

export function promised(words: Words, d: Delivery, now: number): string {
  return d.window ? words.range(Date.parse(d.window.from), Date.parse(d.window.to), now) : "";
}

export function late(words: Words, d: Delivery, now: number): string {
  if (d.window === null || FINAL.has(d.status) || d.status === "failed") return "";
  const window = promised(words, d, now);
  const end = Date.parse(d.window.to);
  if (now > end) return words.text("late.now", { window });
  return d.eta !== null && Date.parse(d.eta.at) > end ? words.text("late.soon", { window }) : "";
}
