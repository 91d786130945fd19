// Being signed in: a cookie that the server sets for a key, and that no script can read. Whoever gets a script onto this page finds no key to take along.

/** What became of signing in. */
export type Entry = "in" | "refused" | "unreachable";

const patience = 10_000;

/** Exchanges a key for a session. */
export function signIn(key: string, send: typeof fetch = (...a) => fetch(...a)): Promise<Entry> {
  return ask(send, "POST", { Authorization: `Bearer ${key}` });
}

/** Says whether this browser has a session. */
export function signedIn(send: typeof fetch = (...a) => fetch(...a)): Promise<Entry> {
  return ask(send, "GET");
}

/** Ends the session in this browser. */
export function signOut(send: typeof fetch = (...a) => fetch(...a)): Promise<Entry> {
  return ask(send, "DELETE");
}

async function ask(send: typeof fetch, method: string, headers?: Record<string, string>): Promise<Entry> {
  try {
    const response = await send("/v1/session", { method, headers, signal: AbortSignal.timeout(patience) });
    if (response.ok) return "in";
    return response.status === 401 || response.status === 403 ? "refused" : "unreachable";
  } catch {
    return "unreachable"; // also a key with characters that no header can hold
  }
}
