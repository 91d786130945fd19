// What happens while somebody looks: news arrive without a reload, connections fail without being noticed, the map moves
// by itself and never against a hand.
import type { Page, WebSocketRoute } from "playwright-core";
import { expect, test } from "vitest";
import { along } from "../api.ts";
import { documentationImage, shot, textOf } from "../browser.ts";
import { poll } from "../harness.ts";
import { boxOf, courierOnMap, Desk, mapIdle, watchDot } from "./customer.ts";

const desk = new Desk();

/** A network whose proxies refuse WebSockets, and one that refuses event streams too. */
function withoutSockets(): void {
  class Refused extends EventTarget {
    readyState = 0;
    constructor() {
      super();
      setTimeout(() => this.dispatchEvent(new CloseEvent("close", { code: 1006 })), 5);
    }
    close(): void {
      this.readyState = 3;
    }
  }
  Object.assign(globalThis, { WebSocket: Object.assign(Refused, { CONNECTING: 0, OPEN: 1 }) });
}
function withoutSocketsAndStreams(): void {
  class Refused extends EventTarget {
    readyState = 0;
    constructor() {
      super();
      setTimeout(() => this.dispatchEvent(Object.assign(new CloseEvent("close", { code: 1006 }))), 5);
      setTimeout(() => this.dispatchEvent(new Event("error")), 5);
    }
    close(): void {
      this.readyState = 3;
    }
  }
  const dead = Object.assign(Refused, { CONNECTING: 0, OPEN: 1 });
  Object.assign(globalThis, { WebSocket: dead, EventSource: dead });
}

/** Every word the connection's dot has had, until it is live again. */
function statesOf(page: Page): Promise<string[]> {
  return page.evaluate(() => new Promise<string[]>((resolve) => {
    const seen: string[] = [];
    new MutationObserver(() => {
      seen.push(document.getElementById("state-word")!.textContent);
      if (seen.length > 1 && seen.at(-1) === "live") resolve(seen);
    }).observe(document.getElementById("state-word")!, { childList: true, characterData: true, subtree: true });
  }));
}

const words = (page: Page) => page.locator("#announce").textContent();

test("from on the way to delivered without a reload, each change announced once", async () => {
  const { courier, delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery);
  await textOf(page, "#state-word", "live");
  expect(await words(page)).toBe("");
  expect(await page.title()).toMatch(/ · your delivery$|^Your delivery$/);

  await desk.api.status(courier, delivery, "arriving");
  await textOf(page, "#announce", "Sam is almost there");
  expect(await page.locator("#steps li[data-state=current]").textContent()).toMatch(/^On the way, now$/);

  await desk.api.status(courier, delivery, "delivered", { proof: { left_at: "front desk" } });
  await textOf(page, "#headline", /^Delivered at/);
  await textOf(page, "#announce", /^Delivered at/);
  await textOf(page, "#details", "Left here: front desk");
  await page.locator(".courier").waitFor({ state: "detached" });
  expect(await page.title()).toBe("Delivered · your delivery");
  expect(await page.locator("#state").isHidden()).toBe(true);
  expect(await page.locator("#timeline li").count()).toBe(6);
});

test("the dot glides between fixes and points where it goes", async () => {
  const { courier, delivery } = await desk.trip("en_route", { part: 0.4 });
  const page = await desk.open(delivery, { viewport: { width: 1280, height: 800 } });
  await courierOnMap(page);
  await mapIdle(page);
  await documentationImage(page, "customer");
  const drawn = await watchDot(page);
  await desk.api.position(courier, along(0.42));
  const places = await poll("the dot to glide on", async () => {
    const seen = await drawn();
    return seen.at(-1)! - seen[0]! > 8 ? seen : null;
  });
  expect(places.length).toBeGreaterThan(5);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(await page.locator(".courier .pointed").getAttribute("transform")).toMatch(/^rotate\(4[0-9]/);
  await shot(page, "customer-desk");
});

/** Counts what maps draw, in `drawn`. */
function countDrawing(): void {
  const maps = globalThis as unknown as { drawn: number };
  maps.drawn = 0;
  const context = WebGL2RenderingContext.prototype;
  const draw = context.drawElements;
  context.drawElements = function (this: WebGL2RenderingContext, ...what) {
    maps.drawn++;
    draw.apply(this, what);
  };
}

test("while the dot glides the map is not drawn again, and one pulse runs", async () => {
  const { courier, delivery } = await desk.trip("en_route", { part: 0.4 });
  const page = await desk.open(delivery, { init: countDrawing });
  await courierOnMap(page);
  await mapIdle(page);
  const drawing = () => page.evaluate(() => (globalThis as unknown as { drawn: number }).drawn);
  const before = await drawing();
  expect(before).toBeGreaterThan(0);
  const places = await watchDot(page);
  await desk.api.position(courier, along(0.42));
  await poll("the dot to glide on", async () => (await places()).length > 4);
  expect(await page.evaluate(() => document.getAnimations().filter((one) => one instanceof CSSAnimation).length)).toBe(1);
  expect(await drawing()).toBe(before);
});

test("with less motion asked for, the dot moves without gliding and does not pulse", async () => {
  const { courier, delivery } = await desk.trip("en_route", { part: 0.4 });
  const page = await desk.open(delivery, { reducedMotion: "reduce" });
  await courierOnMap(page);
  await mapIdle(page);
  expect(await page.locator(".courier-pulse").evaluate((pulse) => getComputedStyle(pulse).animationName)).toBe("none");
  const drawn = await watchDot(page);
  await desk.api.position(courier, along(0.42));
  const [before, after] = await poll("the dot to move", async () => {
    const seen = await drawn();
    return seen.length > 1 ? seen : null;
  });
  // The whole way in one step: a glide's first is of a pixel or two.
  expect(after! - before!).toBeGreaterThan(4);
});

test("courier and door stay in sight by themselves, and a hand on the map stops that", async () => {
  const { courier, delivery } = await desk.trip("en_route", { part: 0.3 });
  const page = await desk.open(delivery);
  await courierOnMap(page);
  await mapIdle(page);
  const map = await boxOf(page, "#map");
  for (const figure of [".courier", ".door"]) {
    const box = await boxOf(page, figure);
    expect(box.x).toBeGreaterThan(map.x);
    expect(box.y).toBeGreaterThan(map.y);
    expect(box.x + box.width).toBeLessThan(map.x + map.width);
    expect(box.y + box.height).toBeLessThan(map.y + map.height);
  }
  // A hand on the text is no hand on the map.
  await page.locator(".timeline summary").click();
  expect(await page.locator("#recentre").isHidden()).toBe(true);
  await page.evaluate(() => scrollTo(0, 0));
  await page.mouse.move(200, 200);
  await page.mouse.down();
  await page.mouse.move(120, 120, { steps: 5 });
  await page.mouse.up();
  await page.locator("#recentre").waitFor({ state: "visible" });
  await shot(page, "customer-hand");
  await mapIdle(page);
  const moved = await boxOf(page, ".door");
  await desk.api.position(courier, along(0.34));
  await textOf(page, "#updated", /1 sec ago/);
  const after = await boxOf(page, ".door");
  expect(Math.abs(after.x - moved.x) + Math.abs(after.y - moved.y)).toBeLessThan(3);
  await page.locator("#recentre").click();
  await poll("the map to come back", async () => Math.abs((await boxOf(page, ".door")).x - moved.x) > 20);
  expect(await page.locator("#recentre").isHidden()).toBe(true);
});

test("offline is said, what is known stays, and coming back is right at once", async () => {
  const { courier, delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery, { expect: /ERR_INTERNET_DISCONNECTED/ });
  await textOf(page, "#state-word", "live");
  await courierOnMap(page);
  await mapIdle(page);
  await page.context().setOffline(true);
  await textOf(page, "#state-word", "offline");
  await textOf(page, "#hint", "This is what we knew last.");
  await textOf(page, "#headline", /Arriving|on the way/);
  await shot(page, "customer-offline");
  await desk.api.status(courier, delivery, "arriving");
  await page.context().setOffline(false);
  await textOf(page, "#details", /end of the road/);
  await textOf(page, "#state-word", /live|estimated|waiting/);
});

test("a socket that is cut comes back on its cursor, and nothing that happened meanwhile is lost", async () => {
  const { courier, delivery } = await desk.trip("en_route");
  const sockets: WebSocketRoute[] = [];
  const page = await desk.open(delivery, {
    prepare: (one) => one.routeWebSocket(/\/live/, (socket) => {
      socket.connectToServer();
      sockets.push(socket);
    }),
  });
  await textOf(page, "#state-word", "live");
  const states = statesOf(page);
  await sockets[0]!.close({ code: 1012 });
  await desk.api.status(courier, delivery, "arriving");
  await textOf(page, "#announce", "Sam is almost there");
  await textOf(page, "#state-word", "live");
  expect(await states).toContain("reconnecting");
  expect(sockets[1]!.url()).toMatch(/\?since=1\.\d+$/);
});

test("a link that is revoked while it is looked at becomes the calm page", async () => {
  const { delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery, { expect: /404/ });
  await textOf(page, "#state-word", "live");
  await desk.api.revokeLink(delivery);
  await textOf(page, "h1", "This link does not work");
});

test.each([["server-sent events", withoutSockets], ["polling", withoutSocketsAndStreams]] as const)(
  "where sockets are refused, %s bring the same news and the reader cannot tell", async (_name, init) => {
    const { courier, delivery } = await desk.trip("en_route");
    const page = await desk.open(delivery, { init });
    await textOf(page, "#state-word", "live", 20_000);
    await desk.api.status(courier, delivery, "arriving");
    await textOf(page, "#announce", "Sam is almost there", 20_000);
    await desk.api.status(courier, delivery, "delivered");
    await textOf(page, "#headline", /^Delivered at/, 20_000);
  });
