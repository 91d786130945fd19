import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseCustomerFrame, parseOpsFrame } from "../../src/protocol.ts";

// The golden frames are the contract: the server's tests encode them, these decode them.
const FRAMES = new URL("../frames/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, FRAMES), "utf8");
const OPS = new Set(["frame.json"]);
const NOT_FOR_PAGES = new Set(["route.json", "ops-view.json"]);

for (const name of readdirSync(FRAMES)) {
  if (NOT_FOR_PAGES.has(name)) continue;
  test(`${name} is read whole`, () => {
    const text = read(name);
    const frame = OPS.has(name) ? parseOpsFrame(text) : parseCustomerFrame(text);
    expect(frame).toEqual(JSON.parse(text));
  });
}

test("tick and bye mean the same on the ops socket", () => {
  for (const name of ["tick.json", "bye.json"]) expect(parseOpsFrame(read(name))).toEqual(JSON.parse(read(name)));
});

test("a type from the future is ignored, not an error", () => {
  for (const type of ["weather", "constructor", "toString"]) {
    expect(parseCustomerFrame(JSON.stringify({ type }))).toBeNull();
    expect(parseOpsFrame(JSON.stringify({ type }))).toBeNull();
  }
});

test("what is not a frame is ignored", () => {
  for (const text of ["", "{", "null", "[]", "1", '{"type":7}', '{"type":"position","sv":1,"lat":"north","lon":1}',
    '{"type":"status","epoch":1,"ver":2,"status":"arriving","at":"soon"}', '{"type":"snapshot"}']) {
    expect(parseCustomerFrame(text)).toBeNull();
  }
});

test("lists left off an ops frame are empty lists", () => {
  const frame = parseOpsFrame('{"type":"frame","n":1,"at":"2026-03-04T18:15:40.000Z"}');
  expect(frame).toMatchObject({ couriers: [], gone: [], events: [], alerts: [] });
  expect(frame).not.toHaveProperty("clusters");
});
