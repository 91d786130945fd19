import { expect, test } from "vitest";
import { deliveryWord, distance, eventWord, span, stopsWord } from "../../../src/ops/words.ts";
import { ago, delivery } from "./made.ts";

test.each([[-5, "0 s"], [59_999, "59 s"], [60_000, "1 min"], [3_599_999, "59 min"], [7_200_000, "2 h"], [172_800_000, "2 d"]])(
  "%d ms is %s", (ms, said) => expect(span(ms)).toBe(said));
test.each([[3, "10 m"], [127, "130 m"], [1234, "1.2 km"], [12_345, "12 km"]])(
  "%d m is %s", (metres, said) => expect(distance(metres)).toBe(said));
test.each([[0, "free"], [1, "1 stop"], [3, "3 stops"]])("%d stops is %s", (stops, said) => expect(stopsWord(stops)).toBe(said));
test("a delivery is called by its number, else by whom or where it is for", () => {
  expect(deliveryWord(delivery())).toBe("#A-1");
  expect(deliveryWord(delivery({ external_id: null }))).toBe("Ada Lovelace");
  expect(deliveryWord(delivery({ external_id: null, recipient: null }))).toBe("1 Main St");
});
test("created again means taken back", () => {
  expect(eventWord({ ver: 1, status: "created", at: ago(0) })).toBe("Placed");
  expect(eventWord({ ver: 3, status: "created", at: ago(0) })).toBe("Taken back");
});
