// The basemap: ours by default, the operator's when there is one, and ours again when theirs does not come.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Delivery } from "../../src/protocol.ts";
import { courierOnMap, Desk, mapIdle } from "./customer.ts";

const desk = new Desk();
const STYLE = "/style-for-this-test.json";

/** The page as it is when the operator named a style, and what the map asked for. */
async function open(delivery: Delivery, answer: { status: number; body: string }): Promise<{ page: Page; asked: string[] }> {
  const asked: string[] = [];
  const page = await desk.open(delivery, {
    expect: /404|503/,
    prepare: async (one) => {
      one.on("request", (request) => void asked.push(new URL(request.url()).pathname));
      await one.route("**/t/*", async (route) => {
        const response = await route.fetch();
        const html = (await response.text()).replace('name="map-style" content=""', `name="map-style" content="${STYLE}"`);
        await route.fulfill({ response, body: html });
      });
      await one.route(`**${STYLE}`, (route) => route.fulfill({ ...answer, contentType: "application/json" }));
    },
  });
  await courierOnMap(page);
  await mapIdle(page);
  return { page, asked };
}

test("an operator's style is used instead of ours", async () => {
  const { delivery } = await desk.trip("en_route");
  const style = { version: 8, sources: {}, layers: [{ id: "sky", type: "background", paint: { "background-color": "#cde" } }] };
  const { asked } = await open(delivery, { status: 200, body: JSON.stringify(style) });
  expect(asked).toContain(STYLE);
  expect(asked).not.toContain("/map/sf.pmtiles");
});

test.each([{ status: 503, body: "" }, { status: 200, body: "not a style" }])(
  "when it does not come ($status), ours is drawn", async (answer) => {
    const { delivery } = await desk.trip("en_route");
    const { asked } = await open(delivery, answer);
    expect(asked).toContain(STYLE);
    expect(asked).toContain("/map/sf.pmtiles");
  });
