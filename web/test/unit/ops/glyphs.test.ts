import { expect, test } from "vitest";
import { iconName } from "../../../src/ops/glyphs.ts";

test("a heading is a sixteenth of a turn; who has none, or waits, or is silent, has no beak", () => {
  expect(iconName("busy", 0)).toBe("busy@0");
  expect(iconName("busy", 359)).toBe("busy@0");
  expect(iconName("late", 90)).toBe("late@4");
  expect(iconName("free", null)).toBe("free");
  expect(iconName("silent", 90)).toBe("silent");
});
