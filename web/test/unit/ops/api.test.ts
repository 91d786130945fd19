import { expect, test } from "vitest";
import { ApiError, createApi } from "../../../src/ops/api.ts";

function answering(status: number, body: unknown, headers: Record<string, string> = {}) {
  const asked: { url: string; init: RequestInit }[] = [];
  const api = createApi("", (url, init) => {
    asked.push({ url: String(url), init: init ?? {} });
    return Promise.resolve(new Response(JSON.stringify(body), { status, headers }));
  });
  return { api, asked };
}

async function refusal(status: number, body: unknown, headers?: Record<string, string>): Promise<ApiError> {
  const { api } = answering(status, body, headers);
  return api.delivery("d1").then(() => { throw new Error("was not refused"); }, (error: ApiError) => error);
}

test("the session stands for a key, and no request holds one", async () => {
  const { api, asked } = answering(200, { items: [], next_cursor: null });
  await api.openDeliveries("a/b");
  expect(asked[0]?.url).toBe("/v1/deliveries?status=created,assigned,picked_up,en_route,arriving,failed&limit=200&cursor=a%2Fb");
  expect(asked[0]?.init.headers).toEqual({});
});

test("what the server has kept is as old as it says, and up to a second older", async () => {
  const { api } = answering(200, { items: [], next_cursor: null }, { Age: "3" });
  expect((await api.couriers()).ageMs).toBe(4000);
  expect((await answering(200, { items: [] }).api.couriers()).ageMs).toBe(1000);
});

test("a refusal is a sentence about what to do", async () => {
  expect((await refusal(401, {})).message).toContain("Load the page again and sign in");
  expect((await refusal(409, { code: "illegal_move", detail: "only created or assigned can be assigned" })).message)
    .toBe("Only created or assigned can be assigned.");
  expect((await refusal(422, { errors: [{ location: "body.pickup.lat", message: "must be a latitude" }] })).message)
    .toBe("Pickup.lat must be a latitude.");
  expect((await refusal(503, { detail: "the database is away" }, { "Retry-After": "2" })).message)
    .toBe("The database is away. Try again in 2 s.");
});

test("the server's code is kept for the page, and one is made up where there is none", async () => {
  expect((await refusal(409, { code: "illegal_move" })).code).toBe("illegal_move");
  expect((await refusal(502, "<html>")).code).toBe("http_502");
});

test("no answer at all is said plainly", async () => {
  const api = createApi("", () => Promise.reject(new TypeError("network")));
  await expect(api.delivery("d1")).rejects.toMatchObject({ code: "unreachable" });
});
