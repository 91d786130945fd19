import { expect, test } from "vitest";
import { phrase, SteadyEta } from "../../src/eta.ts";
import type { Eta } from "../../src/protocol.ts";

const NOW = Date.parse("2026-03-04T18:00:00.000Z");
const iso = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();
const eta = (low: number, high: number): Eta => ({ low: iso(low), high: iso(high), at: iso((low + high) / 2) });

test.each([
  [6.2, 8.8, { kind: "range", low: 6, high: 9 }],
  [0.3, 4.1, { kind: "range", low: 1, high: 5 }],
  [0.1, 1.9, { kind: "now" }],
  [-2, -0.5, { kind: "now" }],
  [-9, -3, { kind: "overdue" }],
  [17, 22, { kind: "about", minutes: 20 }],
  [18, 41, { kind: "range", low: 15, high: 45 }],
  [70, 83, { kind: "clock", from: NOW + 70 * 60_000, to: NOW + 85 * 60_000 }],
])("from %s to %s minutes", (low, high, want) => {
  expect(phrase(eta(low, high), NOW)).toEqual(want);
});

test("an estimate that wanders around an edge keeps its words", () => {
  const steady = new SteadyEta();
  const first = steady.next(eta(6.05, 8.95), NOW);
  for (const wobble of [-0.3, 0.2, -0.1, 0.35, 0]) {
    expect(steady.next(eta(6.05 + wobble, 8.95 + wobble), NOW)).toBe(first);
  }
});

test("an estimate that really changes changes the words", () => {
  const steady = new SteadyEta();
  steady.next(eta(6.05, 8.95), NOW);
  expect(steady.next(eta(8.2, 11.5), NOW)).toEqual({ kind: "range", low: 8, high: 12 });
});

test("minutes that pass count down, one change a minute at most, and end with any minute", () => {
  const steady = new SteadyEta();
  const fixed = eta(6, 9);
  const said: string[] = [];
  for (let second = 0; second <= 9 * 60; second++) {
    const words = JSON.stringify(steady.next(fixed, NOW + second * 1000));
    if (words !== said.at(-1)) said.push(words);
  }
  expect(said.length).toBeLessThanOrEqual(9);
  expect(said[0]).toBe(JSON.stringify({ kind: "range", low: 6, high: 9 }));
  expect(said.at(-1)).toBe(JSON.stringify({ kind: "now" }));
});

test("noise of half a minute flickers without a memory, and not with one", () => {
  const steady = new SteadyEta();
  const changes = { steady: 0, forgetful: 0 };
  const last = { steady: "", forgetful: "" };
  let seed = 7;
  for (let second = 0; second < 600; second += 5) {
    seed = (seed * 48_271) % 2_147_483_647;
    const noise = seed / 2_147_483_647 - 0.5;
    const now = NOW + second * 1000;
    const estimate = eta(12 + noise, 14.5 + noise);
    const said = { steady: JSON.stringify(steady.next(estimate, now)), forgetful: JSON.stringify(phrase(estimate, now)) };
    for (const who of ["steady", "forgetful"] as const) {
      if (said[who] !== last[who]) changes[who]++;
      last[who] = said[who];
    }
  }
  // Ten minutes pass, so both ends of the range move ten times by themselves.
  expect(changes.steady).toBeLessThanOrEqual(20);
  expect(changes.forgetful).toBeGreaterThan(2 * changes.steady);
});

test("any minute is not taken back for half a minute more", () => {
  const steady = new SteadyEta();
  expect(steady.next(eta(0.5, 1.9), NOW)).toEqual({ kind: "now" });
  expect(steady.next(eta(0.9, 2.5), NOW)).toEqual({ kind: "now" });
  expect(steady.next(eta(4, 6), NOW)).toEqual({ kind: "range", low: 4, high: 6 });
});

test("no estimate, no words, and no memory of older ones", () => {
  const steady = new SteadyEta();
  steady.next(eta(6.05, 8.95), NOW);
  expect(steady.next(null, NOW)).toBeNull();
  expect(steady.next(eta(5.8, 8.7), NOW)).toEqual({ kind: "range", low: 5, high: 9 });
});
