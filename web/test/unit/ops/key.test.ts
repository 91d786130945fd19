import { expect, test } from "vitest";
import { takeKey } from "../../../src/ops/key.ts";

function page(hash: string) {
  const shown: string[] = [];
  return { shown, hash, replaceHash: (next: string) => { shown.push(next); } };
}

test("a key in the fragment is taken and leaves the address bar; the rest of the fragment stays", () => {
  const here = page("#courier=sam&key=hf%5Fops&map=1,2,3");
  expect(takeKey(here)).toBe("hf_ops");
  expect(here.shown).toEqual(["courier=sam&map=1,2,3"]);
});

test("without a key in the fragment there is none, and the address is left alone", () => {
  const here = page("#map=1,2,3");
  expect(takeKey(here)).toBeNull();
  expect(here.shown).toEqual([]);
});

test("an empty key is none, and one that cannot be decoded is taken as it is", () => {
  expect(takeKey(page("#key="))).toBeNull();
  expect(takeKey(page("#key=%20"))).toBeNull();
  expect(takeKey(page("#key=%E0%A4%A"))).toBe("%E0%A4%A");
});
