import { expect, test } from "vitest";
import type { Marker } from "../../../src/ops/markers.ts";
import { fade, MarkerSet } from "../../../src/ops/markers.ts";

const sam: Marker = { id: "sam", kind: "courier", icon: "busy", fade: 1, name: "Sam", order: 1, lat: 37.78, lon: -122.41 };
const mia: Marker = { ...sam, id: "mia", name: "Mia" };

test("only what changed is sent to the map", () => {
  const set = new MarkerSet();
  expect(set.diff([sam, mia])?.add).toHaveLength(2);
  expect(set.diff([{ ...sam }, { ...mia }])).toBeNull();
  const diff = set.diff([{ ...sam, lat: 37.79 }]);
  expect(diff?.add?.map(({ properties }) => properties?.id)).toEqual(["sam"]);
  expect(diff?.remove).toEqual(["mia"]);
});

test("an old fix fades, in steps, and never to nothing", () => {
  expect(fade(0)).toBe(1);
  expect(fade(30_000)).toBe(1);
  expect(fade(165_000)).toBe(0.7);
  expect(fade(3_600_000)).toBe(0.4);
  expect(fade(100_000)).toBe(fade(101_000));
});
