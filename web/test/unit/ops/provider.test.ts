import { expect, test } from "vitest";
import { takeFailure } from "../../../src/ops/provider.ts";

function at(search: string) {
  const page = { search, left: [] as string[], replaceSearch: (rest: string) => void page.left.push(rest) };
  return page;
}

test("what came of a sign-in is taken out of the address, and nothing else", () => {
  for (const code of ["refused", "failed", "unavailable"] as const) {
    const page = at(`?signin=${code}&a=b`);
    expect(takeFailure(page)).toBe(code);
    expect(page.left).toEqual(["a=b"]);
  }
});

test("a code that is none of ours is not shown, and an address without one is left alone", () => {
  expect(takeFailure(at("?signin=%3Cscript%3E"))).toBe("failed");
  const page = at("?a=b");
  expect(takeFailure(page)).toBeNull();
  expect(page.left).toEqual([]);
});
