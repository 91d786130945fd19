import { describe, expect, test } from "vitest";
import { Dot, FRESH_MS, GUESS_MS } from "../../src/dot.ts";
import type { Position } from "../../src/protocol.ts";

const START = Date.parse("2026-03-04T18:00:00.000Z");
const LAT = 37.78, LON = -122.41;
const DEGREE = 111_320;

/** A fix so many metres north and east of the start, at so many seconds. */
function fix(seconds: number, north: number, more: Partial<Position> & { east?: number } = {}): Position {
  const { east = 0, ...rest } = more;
  return {
    lat: LAT + north / DEGREE, lon: LON + east / (DEGREE * Math.cos((LAT * Math.PI) / 180)),
    recorded_at: new Date(START + seconds * 1000).toISOString(), speed_mps: 6, heading_deg: 0, accuracy_m: 5, ...rest,
  };
}
const at = (seconds: number) => START + seconds * 1000;
const north = (dot: Dot, seconds: number) => (dot.at(at(seconds))!.lat - LAT) * DEGREE;

describe("gliding", () => {
  test("it moves to the next fix in about the time the courier took, never jumping on the way", () => {
    const dot = new Dot();
    dot.report(fix(0, 0), at(0));
    dot.report(fix(5, 30), at(5));
    let before = north(dot, 5);
    for (let t = 5; t <= 10.5; t += 0.1) {
      const now = north(dot, t);
      expect(now - before).toBeGreaterThanOrEqual(0);
      expect(now - before).toBeLessThan(1.5);
      before = now;
    }
    expect(before).toBeCloseTo(30, 0);
  });

  test("it turns by the shorter way", () => {
    const dot = new Dot();
    dot.report(fix(0, 0, { heading_deg: 350 }), at(0));
    dot.report(fix(5, 30, { heading_deg: 10 }), at(5));
    for (let t = 5; t <= 10; t += 0.2) {
      const heading = dot.at(at(t))!.heading!;
      expect(heading >= 350 || heading <= 10).toBe(true);
    }
  });

  test("a heading from a phone that stands still is noise", () => {
    const dot = new Dot();
    dot.report(fix(0, 0, { heading_deg: 90 }), at(0));
    dot.report(fix(5, 1, { heading_deg: 270, speed_mps: 0.2 }), at(5));
    expect(dot.at(at(9))!.heading).toBe(90);
  });

  test("without gliding for those who asked for less motion", () => {
    const dot = new Dot(() => true);
    dot.report(fix(0, 0), at(0));
    dot.report(fix(5, 30), at(5));
    expect(north(dot, 5)).toBeCloseTo(30, 1);
    expect(dot.at(at(5))!.still).toBe(true);
    expect(north(dot, 14)).toBeCloseTo(30, 1);
  });
});

describe("age", () => {
  const dot = new Dot();
  dot.report(fix(0, 0), at(0));

  test.each([[1, "fresh"], [FRESH_MS / 1000, "fresh"], [9, "estimated"], [GUESS_MS / 1000, "estimated"], [16, "old"], [600, "old"]])(
    "%s s after the fix it is %s", (seconds, state) => {
      expect(dot.at(at(Number(seconds)))!.state).toBe(state);
    });

  test("it guesses ahead along the heading, and for no longer than 15 s after the fix", () => {
    expect(north(dot, 8)).toBeCloseTo(0, 1);
    expect(north(dot, 10)).toBeCloseTo(12, 0);
    expect(north(dot, 15)).toBeCloseTo(42, 0);
    expect(north(dot, 60)).toBeCloseTo(42, 0);
  });

  test("it does not guess for somebody who stands", () => {
    const standing = new Dot();
    standing.report(fix(0, 0, { speed_mps: 0 }), at(0));
    expect(north(standing, 14)).toBe(0);
  });

  test("a fix from before a tunnel is as old as it is", () => {
    const late = new Dot();
    late.report(fix(0, 0), at(120));
    expect(late.at(at(120))!.state).toBe("old");
  });
});

describe("never backwards", () => {
  test("an older fix is not taken", () => {
    const dot = new Dot();
    dot.report(fix(5, 30), at(5));
    expect(dot.report(fix(3, 18), at(6))).toBe(false);
    expect(north(dot, 6)).toBeCloseTo(30, 1);
  });

  test("a guess that went too far waits for the courier", () => {
    const dot = new Dot();
    dot.report(fix(0, 0), at(0));
    const guessed = north(dot, 13);
    expect(guessed).toBeGreaterThan(25);
    dot.report(fix(13, 10), at(13));
    expect(north(dot, 14)).toBeCloseTo(guessed, 0);
    dot.report(fix(20, 52), at(20));
    expect(north(dot, 28)).toBeGreaterThan(guessed);
  });

  test("somebody who turned round may come back", () => {
    const dot = new Dot();
    dot.report(fix(0, 50), at(0));
    dot.report(fix(5, 20, { heading_deg: 180 }), at(5));
    expect(north(dot, 11)).toBeCloseTo(20, 0);
  });
});

describe("outliers", () => {
  test("one fix on the other side of town is not believed", () => {
    const dot = new Dot();
    dot.report(fix(0, 0), at(0));
    expect(dot.report(fix(5, 3000), at(5))).toBe(false);
    expect(dot.report(fix(10, 60), at(10))).toBe(true);
    expect(north(dot, 17)).toBeLessThan(80);
    expect(dot.at(at(17))!.leaps).toBe(0);
  });

  test("a second one that agrees is, and the dot is faded there, not run through the houses", () => {
    const dot = new Dot();
    dot.report(fix(0, 0), at(0));
    dot.report(fix(5, 3000), at(5));
    expect(dot.report(fix(10, 3060), at(10))).toBe(true);
    expect(north(dot, 10)).toBeCloseTo(3060, 0);
    expect(dot.at(at(10))!.leaps).toBe(1);
  });

  test("after a tunnel it is faded to the far end", () => {
    const dot = new Dot();
    dot.report(fix(0, 0), at(0));
    dot.report(fix(120, 1500), at(120));
    expect(north(dot, 120)).toBeCloseTo(1500, 0);
    expect(dot.at(at(120))!.leaps).toBe(1);
  });
});

test("accuracy is a ring only when it is worse than 30 m", () => {
  const dot = new Dot();
  dot.report(fix(0, 0, { accuracy_m: 30 }), at(0));
  expect(dot.at(at(0))!.ringM).toBeNull();
  dot.report(fix(5, 10, { accuracy_m: 80 }), at(5));
  expect(dot.at(at(5))!.ringM).toBe(80);
});

const cell = (seconds: number, metres: number) => {
  const { speed_mps: _s, heading_deg: _h, accuracy_m: _a, ...rest } = fix(seconds, metres);
  return { ...rest, rounded_m: 200 };
};

test("a place that was rounded is a ring around its whole cell, without a heading, and glides to the next", () => {
  const dot = new Dot();
  dot.report(cell(0, 0), at(0));
  expect(dot.at(at(1))).toMatchObject({ ringM: 200 * Math.SQRT1_2, heading: null, state: "fresh" });
  const before = dot.at(at(9))!;
  expect(before.lat).toBe(dot.at(at(1))!.lat);
  dot.report(cell(40, 200), at(40));
  expect(dot.at(at(50))!.lat).toBeGreaterThan(before.lat);
});

test("what was forgotten is gone, and the next fix starts anew", () => {
  const dot = new Dot();
  dot.report(fix(0, 0), at(0));
  dot.forget();
  expect(dot.at(at(1))).toBeNull();
  dot.report(fix(60, 900), at(60));
  expect(dot.at(at(60))!.leaps).toBe(0);
});
