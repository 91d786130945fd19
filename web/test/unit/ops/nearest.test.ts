import { expect, test } from "vitest";
import { nearest } from "../../../src/ops/nearest.ts";
import { noon, onDuty } from "./made.ts";

test("free ones first, by minutes; nobody without a place or off shift", () => {
  const couriers = [
    onDuty("busy", { stops: 2, distance_m: 100 }),
    onDuty("walker", { vehicle: "foot", distance_m: 1000 }),
    onDuty("rider", { distance_m: 1500 }),
    onDuty("nowhere", { position: null, distance_m: 1 }),
    onDuty("home", { on_duty: false, distance_m: 1 }),
  ];
  const found = nearest(couriers, noon);
  expect(found.map(({ courier, minutes }) => [courier.id, minutes])).toEqual([["rider", 8], ["walker", 17], ["busy", 1]]);
  expect(found[0]?.age).toBe(3000);
});
