import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Fleet } from "../../../src/ops/fleet.ts";
import { parseOpsFrame } from "../../../src/protocol.ts";
import { ago, frame, onDuty } from "./made.ts";

const sam = { id: "sam", lat: 37.78, lon: -122.41, recorded_at: ago(5) };

test("a frame of the contract fills an empty fleet", () => {
  const golden = parseOpsFrame(readFileSync(new URL("../../frames/frame.json", import.meta.url), "utf8"));
  if (golden?.type !== "frame") throw new Error("not a frame");
  const fleet = new Fleet();
  fleet.apply(golden);
  expect(fleet.couriers.size).toBe(golden.couriers.length);
  expect(fleet.stats).toEqual(golden.stats);
});

test("a courier's name is said once and kept", () => {
  const fleet = new Fleet();
  fleet.apply(frame({ couriers: [{ ...sam, name: "Sam", stops: 2 }] }));
  fleet.apply(frame({ couriers: [{ ...sam, lat: 37.79, recorded_at: ago(1) }] }));
  expect(fleet.couriers.get("sam")).toMatchObject({ name: "Sam", stops: 2, fix: { lat: 37.79 } });
});

test("a marker never goes back in time, whether the old point comes in a frame or in the roster", () => {
  const fleet = new Fleet();
  fleet.apply(frame({ couriers: [sam] }));
  const late = fleet.apply(frame({ couriers: [{ ...sam, lat: 1, recorded_at: ago(60) }] }));
  fleet.setRoster([onDuty("sam", { position: { lat: 2, lon: 2, recorded_at: ago(60) } })]);
  expect(fleet.couriers.get("sam")?.fix?.lat).toBe(37.78);
  expect(late.moved).toBe(false);
});

test("a position alone does not lay out the list again", () => {
  const fleet = new Fleet();
  fleet.apply(frame({ couriers: [sam] }));
  const changes = fleet.apply(frame({ couriers: [{ ...sam, recorded_at: ago(1) }] }));
  expect(changes).toEqual({ listed: false, moved: true, left: false });
});

test("who left the view is no longer drawn, but keeps the last fix; the roster says who left the shift", () => {
  const fleet = new Fleet();
  fleet.apply(frame({ couriers: [sam, { ...sam, id: "mia" }] }));
  expect(fleet.apply(frame({ gone: ["sam", "nobody"] })).left).toBe(true);
  expect(fleet.couriers.get("sam")).toMatchObject({ inView: false, fix: { lat: 37.78 } });
  fleet.setRoster([]);
  expect([...fleet.couriers.keys()]).toEqual(["mia"]);
});

test("a full frame replaces what is in view", () => {
  const fleet = new Fleet();
  fleet.apply(frame({ couriers: [sam] }));
  fleet.apply(frame({ full: true, couriers: [{ ...sam, id: "mia" }] }));
  expect(fleet.couriers.get("sam")?.inView).toBe(false);
  expect(fleet.couriers.get("mia")?.inView).toBe(true);
});

test("clusters replace clusters, and stand for everybody in view", () => {
  const fleet = new Fleet();
  fleet.apply(frame({ couriers: [sam] }));
  fleet.apply(frame({ clusters: [{ id: "c", lat: 37.7, lon: -122.4, count: 9 }] }));
  expect(fleet.couriers.get("sam")?.inView).toBe(false);
  fleet.apply(frame({}));
  expect(fleet.clusters).toHaveLength(1);
  fleet.apply(frame({ clusters: [], couriers: [sam] }));
  expect(fleet.clusters).toHaveLength(0);
  expect(fleet.couriers.get("sam")?.inView).toBe(true);
});

test("an alert stands until it is over; a full frame starts from those it is told", () => {
  const fleet = new Fleet();
  const silent = { kind: "silent" as const, courier_id: "sam", delivery_id: null, since: ago(240) };
  const late = { kind: "late" as const, courier_id: "sam", delivery_id: "d1", since: ago(60) };
  fleet.apply(frame({ full: true, alerts: [silent, late, late] }));
  expect(fleet.alerts.size).toBe(2);
  fleet.apply(frame({ alerts: [{ ...silent, over: true }] }));
  expect([...fleet.alerts.values()].map(({ kind }) => kind)).toEqual(["late"]);
  fleet.apply(frame({ full: true, alerts: [silent] }));
  expect([...fleet.alerts.values()].map(({ kind }) => kind)).toEqual(["silent"]);
});

test("a roster that does not know somebody yet, or is not whole, makes nobody in view forgotten", () => {
  const fleet = new Fleet();
  fleet.apply(frame({ couriers: [{ ...sam, name: "Sam" }, { ...sam, id: "kim", name: "Kim" }] }));
  fleet.apply(frame({ gone: ["kim"] }));
  fleet.setRoster([onDuty("ada")]);
  expect([...fleet.couriers.keys()]).toEqual(["sam", "ada"]);
  expect(fleet.couriers.get("sam")?.fix).not.toBeNull();
});
