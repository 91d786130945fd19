import { expect, test } from "vitest";
import { Meter } from "../../../src/ops/meter.ts";

test("the counter counts the last second only, and quiet is measured from the last word", () => {
  const meter = new Meter();
  expect(meter.quiet(0)).toBeNull();
  for (const at of [0, 300, 600, 900]) meter.painted(at);
  meter.heard(900);
  expect(meter.perSecond(950)).toBe(4);
  expect(meter.perSecond(1500)).toBe(2);
  expect(meter.perSecond(5000)).toBe(0);
  expect(meter.quiet(1400)).toBe(500);
});
