import { expect, test } from "vitest";
import { outgrown, widened } from "../../../src/ops/viewport.ts";

const shown = { bbox: [-122.42, 37.77, -122.4, 37.79] as [number, number, number, number], zoom: 14 };
test("covers more than the map shows, so a small move asks nothing", () => {
  const asked = widened(shown);
  expect(outgrown(asked, shown)).toBe(false);
  expect(outgrown(asked, { ...shown, bbox: [-122.424, 37.774, -122.404, 37.794] })).toBe(false);
});
test("a large move, another scale, and the beginning ask anew", () => {
  const asked = widened(shown);
  expect(outgrown(null, shown)).toBe(true);
  expect(outgrown(asked, { ...shown, bbox: [-122.46, 37.77, -122.44, 37.79] })).toBe(true);
  expect(outgrown(asked, { ...shown, zoom: 15 })).toBe(true);
});
test("never leaves the world", () => expect(widened({ bbox: [-180, -85, 180, 85], zoom: 1 }).bbox).toEqual([-180, -90, 180, 90]));
