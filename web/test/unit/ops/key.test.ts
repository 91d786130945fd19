import { expect, test } from "vitest";
import { keepKey, takeKey } from "../../../src/ops/key.ts";

function page(hash: string) {
  const kept = new Map<string, string>();
  const shown: string[] = [];
  return {
    shown,
    hash,
    replaceHash: (next: string) => { shown.push(next); },
    storage: { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => { kept.set(name, value); } },
  };
}

test("a key in the fragment is kept and leaves the address bar; the rest of the fragment stays", () => {
  const here = page("#courier=sam&key=hf%5Fops&map=1,2,3");
  expect(takeKey(here)).toBe("hf_ops");
  expect(here.shown).toEqual(["courier=sam&map=1,2,3"]);
});

test("without a key in the fragment the one of this tab is used, and the address is left alone", () => {
  const here = page("#map=1,2,3");
  expect(takeKey(here)).toBeNull();
  keepKey(here, " typed ");
  expect(takeKey(here)).toBe("typed");
  expect(here.shown).toEqual([]);
});

test("an empty or unreadable key does not replace a good one", () => {
  const here = page("#key=");
  keepKey(here, "good");
  expect(takeKey(here)).toBe("good");
  expect(takeKey({ ...here, hash: "#key=%E0%A4%A" })).toBe("%E0%A4%A");
});
