import { expect, test } from "vitest";
import { coordinates, knownPlaces, placeNamed } from "../../../src/ops/places.ts";
import { delivery } from "./made.ts";

test.each(["37.78212, -122.41107", "37.78212 -122.41107", " 37.78212;-122.41107 "])("%j is a place", (text) => {
  expect(coordinates(text)).toEqual({ lat: 37.78212, lon: -122.41107 });
});
test.each(["", "1 Main St", "91, 0", "37.78", "0, 181", "1, 2, 3"])("%j is none", (text) => expect(coordinates(text)).toBeNull());
test("a place seen before is found by its words, the most used first", () => {
  const known = knownPlaces([delivery(), delivery({ pickup: { lat: 1, lon: 2 } }), delivery(), delivery({ pickup: { lat: 3, lon: 4, name: "Once" } })], "pickup");
  expect(known.map(({ name }) => name)).toEqual(["Tartine", "Once"]);
  expect(placeNamed("tartine, 600 guerrero st", known)?.lat).toBe(37.78);
  expect(placeNamed("Tart", known)).toBeNull();
});
