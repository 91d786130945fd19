import { expect, test } from "vitest";
import { Ledger } from "../../../src/ops/ledger.ts";
import { ago, delivery, noon, waiting } from "./made.ts";

const event = { delivery_id: "d1", courier_id: "sam", ver: 3, status: "picked_up" as const, at: ago(0) };

test("an older answer never replaces a newer one", () => {
  const ledger = new Ledger();
  ledger.put(delivery({ ver: 5, status: "arriving" }));
  ledger.put(delivery({ ver: 4, status: "en_route" }));
  expect(ledger.get("d1")?.status).toBe("arriving");
});

test("an event moves a delivery on, once", () => {
  const ledger = new Ledger();
  ledger.put(delivery());
  expect(ledger.apply(event)).toBe(false);
  expect(ledger.get("d1")).toMatchObject({ status: "picked_up", ver: 3, courier: { name: "Sam" } });
  expect(ledger.apply({ ...event, ver: 2, status: "assigned" })).toBe(false);
  expect(ledger.get("d1")?.status).toBe("picked_up");
});

test("one that is new or changed hands is to be read again, and shows no wrong name until then", () => {
  const ledger = new Ledger();
  expect(ledger.apply(event)).toBe(true);
  ledger.put(delivery());
  expect(ledger.apply({ ...event, courier_id: "mia" })).toBe(true);
  expect(ledger.get("d1")?.courier).toBeNull();
});

test("a courier's stops follow the route; one that failed comes last", () => {
  const ledger = new Ledger();
  ledger.put(delivery({ id: "failed", status: "failed", stops_before: null }));
  for (const [before, id] of ["first", "second", "third"].entries()) ledger.put(delivery({ id, stops_before: before }));
  ledger.put(delivery({ id: "done", status: "delivered" }));
  ledger.put(delivery({ id: "mias", courier_id: "mia" }));
  expect(ledger.of("sam").map(({ id }) => id)).toEqual(["first", "second", "third", "failed"]);
});

test("waiting deliveries come longest waiting first", () => {
  const ledger = new Ledger();
  ledger.put(waiting({ id: "young", created_at: ago(10) }));
  ledger.put(waiting({ id: "old", created_at: ago(100) }));
  ledger.put(delivery());
  expect(ledger.waiting().map(({ id }) => id)).toEqual(["old", "young"]);
});

test("ended deliveries are forgotten after a while, but not the one looked at", () => {
  const ledger = new Ledger();
  ledger.put(delivery({ id: "open" }));
  for (const id of ["ended", "looked-at"]) ledger.put(delivery({ id, status: "delivered", updated_at: ago(1000) }));
  ledger.forgetEnded(noon - 900_000, "looked-at");
  expect([...ledger.all()].map(({ id }) => id)).toEqual(["open", "looked-at"]);
});
