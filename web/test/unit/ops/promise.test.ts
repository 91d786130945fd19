import { expect, test } from "vitest";
import { promised } from "../../../src/ops/promise.ts";

const now = new Date(2026, 4, 4, 12, 0).getTime();
const hours = (from: string, to: string) => {
  const window = promised(from, to, now);
  return window && [(Date.parse(window.from) - now) / 3_600_000, (Date.parse(window.to) - now) / 3_600_000];
};
test("is today's if it is not over", () => expect(hours("11:30", "13:00")).toEqual([-0.5, 1]));
test("is tomorrow's if it is", () => expect(hours("09:00", "10:00")).toEqual([21, 22]));
test("may end after midnight", () => expect(hours("23:00", "01:00")).toEqual([11, 13]));
test("needs both ends", () => expect(hours("11:30", "")).toBeNull());
