import { expect, test } from "vitest";
import { signIn, signOut, signedIn } from "../../../src/ops/session.ts";

function server(status: number) {
  const asked: string[] = [];
  const send: typeof fetch = (url, init) => {
    const key = new Headers(init?.headers).get("Authorization") ?? "no key";
    asked.push(`${init?.method} ${String(url)} ${key}`);
    return Promise.resolve(new Response(null, { status }));
  };
  return { asked, send };
}

test("a key is exchanged for a session, which stands for it from then on", async () => {
  const { asked, send } = server(200);
  expect([await signIn("hf_ops_x", send), await signedIn(send), await signOut(send)]).toEqual(["in", "in", "in"]);
  expect(asked).toEqual(["POST /v1/session Bearer hf_ops_x", "GET /v1/session no key", "DELETE /v1/session no key"]);
});

test("a key that is not good is told from a server that does not answer", async () => {
  for (const status of [401, 403]) expect(await signIn("x", server(status).send)).toBe("refused");
  for (const status of [429, 500, 503]) expect(await signIn("x", server(status).send)).toBe("unreachable");
  expect(await signedIn(() => Promise.reject(new TypeError("network")))).toBe("unreachable");
  expect(await signIn("\u2603", (...a) => fetch(...a))).toBe("unreachable");
});
