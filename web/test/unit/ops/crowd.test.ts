import { expect, test } from "vitest";
import { Crowd, spotOf, stride } from "../../../src/ops/crowd.ts";
import type { Member } from "../../../src/ops/crowd.ts";
import { noon } from "./made.ts";

function member(id: string, lon: number, at = noon, change: Partial<Member> = {}): Member {
  return { id, lat: 37.78, lon, at, icon: 1, fade: 1, above: false, ...change };
}

function lonOf(crowd: Crowd, id: string, now: number): number {
  return Number(crowd.place(id, now)?.lon.toFixed(6));
}

test("one who comes stands at the fix, and glides to the next one in the time between the two, never beyond it", () => {
  const crowd = new Crowd();
  crowd.show([member("sam", -122.41)], noon, false);
  expect(lonOf(crowd, "sam", noon)).toBe(-122.41);
  expect(crowd.moving(noon)).toBe(false);
  crowd.show([member("sam", -122.408, noon + 1000)], noon, false);
  expect(lonOf(crowd, "sam", noon)).toBe(-122.41);
  expect(lonOf(crowd, "sam", noon + 500)).toBeCloseTo(-122.409, 5);
  expect(lonOf(crowd, "sam", noon + 5000)).toBeCloseTo(-122.408, 5);
  expect([crowd.moving(noon + 999), crowd.moving(noon + 1001)]).toEqual([true, false]);
});

test("a leap, and whoever must not glide, is there at once", () => {
  const crowd = new Crowd();
  crowd.show([member("far", -122.41), member("calm", -122.41)], noon, false);
  crowd.show([member("far", -122.3, noon + 1000), member("calm", -122.41)], noon, false);
  expect(lonOf(crowd, "far", noon)).toBeCloseTo(-122.3, 5);
  crowd.show([member("far", -122.3, noon + 1000), member("calm", -122.409, noon + 1000)], noon, true);
  expect(lonOf(crowd, "calm", noon)).toBeCloseTo(-122.409, 5);
});

test("what has not changed is not sent to the graphics card again", () => {
  const crowd = new Crowd();
  const all = Array.from({ length: 50 }, (_, i) => member(`c${i}`, -122.4 + i / 1000));
  crowd.show(all, noon, false);
  const { version } = crowd;
  crowd.show(all, noon + 250, false);
  expect(crowd.version).toBe(version);
  crowd.show(all.map((one, i) => (i === 7 ? member(one.id, one.lon, noon, { fade: 0.5 }) : one)), noon + 500, false);
  expect(crowd.version).toBe(version + 1);
  expect(crowd.data[7 * stride + 7]).toBe(0.5);
});

test("whoever comes and goes, everybody who is left stands where they are and is found there", () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const crowd = new Crowd();
  const there = new Map<string, Member>();
  for (let round = 0; round < 300; round++) {
    for (let i = 0; i < 5; i++) {
      const id = `c${random(60)}`;
      if (random(3) === 0) there.delete(id);
      else there.set(id, member(id, -122.4 + random(1000) / 1000, noon + round, { above: random(4) === 0 }));
    }
    crowd.show(there.values(), noon + round, true);
    expect(crowd.size).toBe(there.size);
    expect(crowd.above.length).toBe([...there.values()].filter(({ above }) => above).length);
    for (const slot of crowd.above) expect(slot).toBeLessThan(crowd.size);
    for (const one of there.values()) expect(lonOf(crowd, one.id, noon + round)).toBeCloseTo(one.lon, 5);
  }
  for (const one of there.values()) {
    const found = crowd.nearest(spotOf(one), 1e-6, noon + 300);
    expect(there.get(found!)?.lon).toBe(one.lon);
  }
  expect(crowd.nearest(spotOf({ lat: 10, lon: 10 }), 1e-3, noon + 300)).toBeNull();
});
