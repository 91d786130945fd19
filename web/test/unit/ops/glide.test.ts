import { expect, test } from "vitest";
import { Glide, snapped } from "../../../src/ops/glide.ts";

test("a marker glides from where it is to the new fix and stays there", () => {
  const glide = new Glide();
  glide.aim("sam", { lat: 0, lon: 0 }, 1000, 0, false);
  glide.aim("sam", { lat: 0.001, lon: 0 }, 2000, 0, false);
  expect(glide.place("sam", 500)?.lat).toBeCloseTo(0.0005);
  expect(glide.moving("sam", 500)).toBe(true);
  expect(glide.place("sam", 9000)?.lat).toBe(0.001);
  expect(glide.moving("sam", 1000)).toBe(false);
});

test("a fix that comes while gliding turns the marker from where it is, without a jump", () => {
  const glide = new Glide();
  glide.aim("sam", { lat: 0, lon: 0 }, 1000, 0, false);
  glide.aim("sam", { lat: 0.001, lon: 0 }, 2000, 0, false);
  glide.aim("sam", { lat: 0, lon: 0.001 }, 3000, 500, false);
  expect(glide.place("sam", 500)).toEqual({ lat: 0.0005, lon: 0 });
});

test("it jumps where gliding would lie: after a gap, in a crowd, for whoever wants less motion", () => {
  const glide = new Glide();
  glide.aim("sam", { lat: 0, lon: 0 }, 1000, 0, false);
  glide.aim("sam", { lat: 1, lon: 0 }, 2000, 0, false);
  expect(glide.place("sam", 0)?.lat).toBe(1);
  glide.aim("sam", { lat: 1.001, lon: 0 }, 3000, 0, true);
  expect(glide.place("sam", 0)?.lat).toBe(1.001);
});

test("less than half a pixel is no move", () => {
  const a = snapped({ lat: 37.78, lon: -122.41 }, 12);
  expect(snapped({ lat: 37.78002, lon: -122.41 }, 12)).toEqual(a);
  expect(snapped({ lat: 37.781, lon: -122.41 }, 12)).not.toEqual(a);
});
