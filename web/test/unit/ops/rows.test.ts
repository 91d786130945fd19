import { expect, test } from "vitest";
import type { Alert } from "../../../src/protocol.ts";
import { Fleet } from "../../../src/ops/fleet.ts";
import { Ledger } from "../../../src/ops/ledger.ts";
import { reason } from "../../../src/ops/reason.ts";
import { allRows, countRows, filterRows, searchRows } from "../../../src/ops/rows.ts";
import { ago, delivery, frame, noon, onDuty, waiting } from "./made.ts";

function desk() {
  const fleet = new Fleet();
  const ledger = new Ledger();
  fleet.setRoster([
    onDuty("zoe", { stops: 1, delivery_ids: ["d1"] }),
    onDuty("ann"),
    onDuty("leo", { position: { lat: 37, lon: -122, recorded_at: ago(300), battery: 0.04 } }),
    onDuty("bob", { stops: 2, delivery_ids: ["d2"] }),
  ]);
  ledger.put(delivery({ id: "d1", courier_id: "zoe", stops_before: 0 }));
  ledger.put(delivery({ id: "d2", courier_id: "bob", external_id: "A-2", dropoff: { lat: 1, lon: 2, address: "9 Pine St" } }));
  ledger.put(waiting({ created_at: ago(200) }));
  const alerts: Alert[] = [
    { kind: "silent", courier_id: "leo", delivery_id: null, since: ago(180) },
    { kind: "late", courier_id: "zoe", delivery_id: "d1", since: ago(420) },
  ];
  fleet.apply(frame({ alerts }));
  return { fleet, ledger, alerts };
}

test("what needs a person comes first, then couriers with stops, then free ones by name", () => {
  const { fleet, ledger } = desk();
  expect(allRows(fleet, ledger).map(({ id }) => id)).toEqual(["zoe", "leo", "d9", "bob", "ann"]);
});

test("each says why, as far as it is known", () => {
  const { fleet, ledger } = desk();
  const said = Object.fromEntries(allRows(fleet, ledger).map((row) => [row.id, reason(row, fleet, ledger, noon)]));
  expect(said).toEqual({
    zoe: "Late 7 min · not picked up · 1 Main St",
    leo: "Silent 5 min · battery was at 4 %",
    d9: "No courier for 3 min · 1 Main St",
    bob: "Assigned: 9 Pine St",
    ann: "On shift",
  });
});

test.each([
  [{ lat: 1, lon: 1, recorded_at: ago(90) }, "1 min ago · On shift"],
  [null, "No position yet · On shift"],
])("an old fix or none is said", (position, said) => {
  const fleet = new Fleet();
  fleet.setRoster([onDuty("ann", { position })]);
  const row = allRows(fleet, new Ledger())[0];
  expect(row && reason(row, fleet, new Ledger(), noon)).toBe(said);
});

test("late with a silent courier says both; the late one wins the row", () => {
  const { fleet, ledger, alerts } = desk();
  fleet.apply(frame({ alerts: [...alerts, { kind: "silent", courier_id: "zoe", delivery_id: null, since: ago(30) }] }));
  const row = allRows(fleet, ledger)[0];
  if (!row) throw new Error("no row");
  expect(row).toMatchObject({ id: "zoe", trouble: "late" });
  expect(reason(row, fleet, ledger, noon)).toBe("Late 7 min · no word for 3 s · 1 Main St");
});

test("a late delivery without a courier is a row of its own", () => {
  const { fleet, ledger } = desk();
  fleet.apply(frame({ alerts: [{ kind: "late", courier_id: null, delivery_id: "d9", since: ago(60) }] }));
  const row = allRows(fleet, ledger).find(({ id }) => id === "d9");
  expect(row?.trouble).toBe("late");
  expect(row && reason(row, fleet, ledger, noon)).toBe("Late 1 min · no courier · 1 Main St");
});

test("an alert about something nobody knows yet changes nothing", () => {
  const { fleet, ledger } = desk();
  const before = allRows(fleet, ledger).length;
  fleet.apply(frame({ alerts: [{ kind: "late", courier_id: null, delivery_id: "unknown", since: ago(60) }] }));
  expect(allRows(fleet, ledger)).toHaveLength(before);
});

test("filters keep their trouble, and the counts agree with them", () => {
  const { fleet, ledger } = desk();
  const rows = allRows(fleet, ledger);
  expect(countRows(rows)).toEqual({ all: 5, late: 1, silent: 1, waiting: 1 });
  for (const filter of ["all", "late", "silent", "waiting"] as const) {
    expect(filterRows(rows, filter)).toHaveLength(countRows(rows)[filter]);
  }
});

test.each([
  ["LEO", ["leo"]],
  ["a-2", ["bob", "d2"]],
  ["pine 9", ["bob", "d2"]],
  ["a-9", ["d9"]],
  ["nothing like it", []],
  ["   ", ["zoe", "leo", "d9", "bob", "ann"]],
])("searching for %j finds %j", (query, ids) => {
  const { fleet, ledger } = desk();
  expect(searchRows(allRows(fleet, ledger), query, ledger).map(({ id }) => id)).toEqual(ids);
});
