// Each state of a delivery, brought about through the public API and looked at.
import { describe, expect, test } from "vitest";
import type { Status } from "../../src/protocol.ts";
import { along } from "../api.ts";
import { axe, shot, textOf } from "../browser.ts";
import { courierOnMap, Desk, mapIdle, windowAround } from "./customer.ts";

const desk = new Desk();

const STATES: [Status, headline: RegExp, detail: RegExp][] = [
  ["created", /has your order$/, /A courier will be chosen soon/],
  ["assigned", /^(Sam will bring your delivery|Arriving )/, /You will see Sam on the map once your delivery is picked up/],
  ["picked_up", /^(Sam has your delivery|Arriving )/, /You will see Sam on the map as soon as/],
  ["en_route", /^(Arriving (in |any|between|a little)|Sam is on the way)/, /Sam is coming to you next/],
  ["arriving", /^(Arriving |Sam is almost there)/, /end of the road/],
  ["delivered", /^Delivered at \d\d:\d\d$/, /Left here: front desk/],
  ["failed", /did not work out$/, /Reason: nobody answered the door/],
  ["cancelled", /was cancelled$/, /Reason: sold out/],
  ["returned", /went back to/, /how you can still get it/],
];
const SHOWN = new Set<Status>(["en_route", "arriving"]);

describe.each(STATES)("%s", (status, headline, detail) => {
  test("says so, shows the courier only while they may be seen, and axe finds nothing", async () => {
    const { delivery } = await desk.trip(status);
    const page = await desk.open(delivery);
    await textOf(page, "#headline", headline);
    await textOf(page, "#details", detail);
    if (SHOWN.has(status)) await courierOnMap(page);
    await mapIdle(page);
    expect(await page.locator(".courier").count()).toBe(SHOWN.has(status) ? 1 : 0);
    await shot(page, `customer-${status}`);
    expect(await axe(page)).toEqual([]);
  });
});

test("a dark room gets a dark page, and axe finds nothing there either", async () => {
  const { delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery, { colorScheme: "dark" });
  await courierOnMap(page);
  await mapIdle(page);
  await shot(page, "customer-dark");
  expect(await axe(page)).toEqual([]);
});

test("with stops before, it says how many; with too many, why nobody is shown", async () => {
  const { courier, delivery } = await desk.trip("assigned");
  const others = [];
  for (let i = 0; i < 4; i++) {
    const other = await desk.api.delivery({ dropoff: { ...along(0.1 + 0.15 * i), address: `${i} Stop Street` } });
    await desk.api.assign(other, courier);
    others.push(other);
  }
  await desk.api.route(courier, [...others, delivery]);
  for (const other of others) await desk.api.advance(courier, other, "en_route");
  await desk.api.advance(courier, delivery, "en_route");
  await desk.api.position(courier, along(0.05));
  const page = await desk.open(delivery);
  await textOf(page, "#details", "Sam is 4 stops away");
  await textOf(page, "#details", "You will see Sam on the map once your delivery is one of the next stops.");
  await mapIdle(page);
  expect(await page.locator(".courier").count()).toBe(0);
  await shot(page, "customer-not-yet");
  // The page that may not show the courier was not told where they are either.
  expect(await (await desk.api.get(`/v1/track/${delivery.tracking_token}`)).json()).toMatchObject({ visible: false, position: null });

  // Three of the four are brought, and without a reload the courier appears.
  for (const other of others.slice(0, 3)) {
    await desk.api.status(courier, other, "arriving");
    await desk.api.status(courier, other, "delivered");
  }
  await desk.api.position(courier, along(0.55));
  await textOf(page, "#details", "Sam is 1 stop away");
  await courierOnMap(page);
  await shot(page, "customer-one-stop");
});

test("off shift, the courier disappears from the page at once and it says so", async () => {
  const { courier, delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery);
  await courierOnMap(page);
  await desk.api.shift(courier, false);
  await textOf(page, "#details", "not sharing a position right now", 8_000);
  await page.locator(".courier").waitFor({ state: "detached" });
  await shot(page, "customer-off");
});

test("late is said plainly", async () => {
  const { delivery } = await desk.trip("en_route", { more: { window: windowAround(-60) } });
  const page = await desk.open(delivery);
  await textOf(page, "#late", "This is running late. The promised time was");
  await mapIdle(page);
  await shot(page, "customer-late");
  expect(await axe(page)).toEqual([]);
});

test("a fix that is old is grey with its age, and a vague one has its ring", async () => {
  const { courier, delivery } = await desk.trip("arriving", { part: 0.8 });
  const page = await desk.open(delivery);
  await courierOnMap(page);
  await desk.api.position(courier, { ...along(0.82), accuracy_m: 80 });
  await textOf(page, "#state-word", "waiting", 30_000);
  await textOf(page, ".courier-age", /sec ago$/);
  expect(await page.locator(".courier").getAttribute("data-state")).toBe("old");
  await textOf(page, "#hint", "We are waiting for a new position from Sam.");
  await shot(page, "customer-old-fix");
});

test("every link that does not work is the same calm page, and nothing about the delivery is in it", async () => {
  const { delivery } = await desk.trip("assigned");
  await desk.api.revokeLink(delivery);
  const expected = { expect: /404/ };
  const bodies = new Set<string>();
  for (const token of [delivery.tracking_token, "never-was", `${delivery.tracking_token.slice(0, -1)}-`]) {
    const response = await desk.api.get(`/t/${token}`);
    expect(response.status).toBe(404);
    bodies.add(await response.text());
  }
  expect(bodies.size).toBe(1);
  const page = await desk.openPath(`/t/${delivery.tracking_token}`, expected);
  await textOf(page, "h1", "This link does not work");
  await shot(page, "customer-not-found");
  expect(await axe(page)).toEqual([]);
});
