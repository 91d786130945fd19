// A place typed by a person: coordinates, or one of the places this page has seen on a delivery before.

import type { Delivery, Place } from "../protocol.ts";
import { placeWord } from "./words.ts";

const pair = /^\s*(-?\d{1,3}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/;

/** Latitude and longitude in that order, as people copy them from a map: "37.78212, -122.41107". */
export function coordinates(text: string): Place | null {
  const match = pair.exec(text);
  if (!match) return null;
  const [lat, lon] = [Number(match[1]), Number(match[2])];
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : null;
}

/** The place a text names: coordinates, or exactly one known place by its words. */
export function placeNamed(text: string, known: readonly Place[]): Place | null {
  const typed = coordinates(text);
  if (typed) return typed;
  const wanted = text.trim().toLowerCase();
  return known.find((place) => label(place).toLowerCase() === wanted) ?? null;
}

/** Places seen on deliveries, each once, the most often used first. */
export function knownPlaces(deliveries: Iterable<Delivery>, end: "pickup" | "dropoff"): Place[] {
  const uses = new Map<string, { place: Place; count: number }>();
  for (const delivery of deliveries) {
    const place = delivery[end];
    if (!place.address && !place.name) continue;
    const seen = uses.get(label(place));
    if (seen) seen.count++;
    else uses.set(label(place), { place, count: 1 });
  }
  return [...uses.values()].toSorted((a, b) => b.count - a.count).map(({ place }) => place);
}

/** The whole name of a place, for choosing it from a list. */
export function label(place: Place): string {
  return place.name && place.address ? `${place.name}, ${place.address}` : placeWord(place);
}
