import { beforeEach, describe, expect, test } from "vitest";
import { DeliveryState } from "../../src/customer/delivery.ts";
import type { PositionFrame, Snapshot, StatusFrame, View } from "../../src/protocol.ts";
import snapshotFrame from "../frames/snapshot.json";

const snapshot = snapshotFrame as unknown as Snapshot;
const status = (ver: number, name: StatusFrame["status"], epoch = 1): StatusFrame =>
  ({ type: "status", epoch, ver, status: name, at: "2026-03-04T18:15:00.000Z" });
const position = (sv: number, recorded_at: string, lat = 37.79): PositionFrame =>
  ({ type: "position", sv, lat, lon: -122.4, recorded_at, eta: null });
const hidden = (sv: number): View => ({
  type: "view", epoch: 1, sv, visible: false, why: "off", stops_before: 2, eta: null, position: null, courier: null, window: null,
});
const tick = (sv: number, live: boolean) => ({ type: "tick", sv, live, server_time: "2026-03-04T18:11:00.000Z" }) as const;

let state: DeliveryState;
beforeEach(() => {
  state = new DeliveryState();
  state.apply(structuredClone(snapshot));
});

test("the cursor is where a resume begins", () => {
  expect(new DeliveryState().cursor).toBe("");
  expect(state.cursor).toBe("1.4");
});

describe("status", () => {
  test("the next one is applied and joins the timeline", () => {
    expect(state.apply(status(5, "arriving"))).toBe("status");
    expect(state.known).toMatchObject({ ver: 5, status: "arriving", visible: true });
    expect(state.known!.events.at(-1)).toMatchObject({ ver: 5, status: "arriving" });
  });
  test("one we have is dropped, so each is seen once", () => {
    expect(state.apply(status(4, "en_route"))).toBe("nothing");
    expect(state.known!.events).toHaveLength(4);
  });
  test("one too far ahead is a hole, and is not applied", () => {
    expect(state.apply(status(6, "delivered"))).toBe("hole");
    expect(state.known).toMatchObject({ ver: 4, status: "en_route" });
  });
  test("another epoch is a hole", () => {
    expect(state.apply(status(5, "arriving", 2))).toBe("hole");
  });
  test.each(["delivered", "failed", "returned"] as const)("%s forgets where the courier is at once", (name) => {
    state.apply(status(5, name));
    expect(state.known).toMatchObject({ visible: false, position: null, eta: null });
  });
  test("only the final ones end the story", () => {
    state.apply(status(5, "failed"));
    expect(state.final).toBe(false);
    state.apply(status(6, "returned"));
    expect(state.final).toBe(true);
  });
});

describe("position", () => {
  test("a newer one is taken", () => {
    expect(state.apply(position(4, "2026-03-04T18:11:00.000Z", 37.8))).toBe("changed");
    expect(state.known!.position!.lat).toBe(37.8);
  });
  test("an older one, or the same again, is not", () => {
    expect(state.apply(position(4, "2026-03-04T18:09:00.000Z"))).toBe("nothing");
    expect(state.apply(position(4, snapshot.position!.recorded_at))).toBe("nothing");
  });
  test("one that knows of a later status reveals a hole", () => {
    expect(state.apply(position(5, "2026-03-04T18:11:00.000Z"))).toBe("hole");
  });
  test("none is taken while the courier may not be seen", () => {
    state.apply(hidden(4));
    expect(state.apply(position(4, "2026-03-04T18:20:00.000Z"))).toBe("nothing");
    expect(state.known!.position).toBeNull();
  });
});

describe("view", () => {
  test("hiding forgets the position", () => {
    expect(state.apply(hidden(4))).toBe("changed");
    expect(state.known).toMatchObject({ visible: false, why: "off", position: null, stops_before: 2 });
  });
  test("one from before a status we have cannot show again what that status hid", () => {
    state.apply(status(5, "delivered"));
    expect(state.apply({ ...hidden(4), visible: true, position: snapshot.position })).toBe("nothing");
    expect(state.known!.position).toBeNull();
  });
  test("one from after a status we miss is a hole", () => {
    expect(state.apply(hidden(5))).toBe("hole");
  });
});

describe("tick", () => {
  test("a lost status is noticed within five seconds", () => {
    expect(state.apply(tick(5, true))).toBe("hole");
  });
  test("it tells when the server itself is behind", () => {
    expect(state.apply(tick(4, false))).toBe("changed");
    expect(state.known!.live).toBe(false);
    expect(state.apply(tick(4, false))).toBe("nothing");
  });
});

describe("a snapshot again", () => {
  test("with only the newer events keeps the older ones", () => {
    const resumed: Snapshot = {
      ...snapshot, ver: 5, status: "arriving", events: [{ ver: 5, status: "arriving", at: "2026-03-04T18:15:00.000Z" }],
    };
    expect(state.apply(resumed)).toBe("status");
    expect(state.known!.events.map((event) => event.ver)).toEqual([1, 2, 3, 4, 5]);
  });
  test("of another epoch replaces everything, even with a smaller version", () => {
    state.apply({ ...snapshot, epoch: 2, ver: 3, status: "picked_up", events: snapshot.events.slice(0, 3) });
    expect(state.cursor).toBe("2.3");
    expect(state.known!.events).toHaveLength(3);
  });
  test("of a node that is behind undoes nothing", () => {
    state.apply(status(5, "delivered"));
    expect(state.apply(structuredClone(snapshot))).toBe("nothing");
    expect(state.known!.status).toBe("delivered");
  });
  test("with an older position does not move the courier back", () => {
    state.apply(position(4, "2026-03-04T18:12:00.000Z", 37.8));
    state.apply(structuredClone(snapshot));
    expect(state.known!.position!.lat).toBe(37.8);
  });
});

test("before the first snapshot nothing is believed", () => {
  const fresh = new DeliveryState();
  expect(fresh.apply(status(1, "created"))).toBe("nothing");
  expect(fresh.known).toBeNull();
});
