import { expect, test } from "vitest";
import de from "../../src/i18n/de.json";
import en from "../../src/i18n/en.json";
import { Words } from "../../src/i18n/words.ts";

const NOW = Date.parse("2026-03-04T18:10:00.000Z");
const blanks = (text: string) => [...text.matchAll(/\{(\w+?)(_obj)?\}/g)].map((match) => match[1]).toSorted();

test("both catalogues say the same things, with the same blanks to fill", () => {
  expect(Object.keys(de.messages)).toEqual(Object.keys(en.messages));
  for (const [key, text] of Object.entries(en.messages)) {
    const other = blanks((de.messages as Record<string, string>)[key]!);
    expect(blanks(text), key).toEqual(expect.arrayContaining(other));
  }
});

test("an unknown language is read in English", () => {
  expect(new Words("xx").text("page.title")).toBe("Your delivery");
});

test("numbers and times follow the reader's region", () => {
  expect(new Words("en", ["en-US"], "UTC").clock(NOW)).toMatch(/6:10\sPM/);
  expect(new Words("en", ["fr-FR", "en-GB"], "UTC").clock(NOW)).toBe("18:10");
  expect(new Words("de", [], "UTC").clock(NOW)).toBe("18:10");
});

test("days near now have names", () => {
  const words = new Words("en", ["en-GB"], "UTC");
  const day = 86_400_000;
  expect(words.day(NOW, NOW)).toBe("today");
  expect(words.day(NOW + day, NOW)).toBe("tomorrow");
  expect(words.day(NOW - day, NOW)).toBe("yesterday");
  expect(words.day(NOW + 3 * day, NOW)).toMatch(/^Sat,? 7 Mar$/);
});

test("a window over midnight keeps its day and both times", () => {
  const words = new Words("en", ["en-GB"], "UTC");
  const from = Date.parse("2026-03-04T23:30:00.000Z"), to = Date.parse("2026-03-05T00:30:00.000Z");
  expect(words.range(from, to, NOW)).toBe("today 23:30–00:30");
});

test("ages are counted in what fits", () => {
  const words = new Words("en", ["en-GB"], "UTC");
  expect(words.ago(200)).toBe("1 sec ago");
  expect(words.ago(150_000)).toBe("2 min ago");
  expect(words.ago(2 * 86_400_000)).toBe("2 days ago");
});
