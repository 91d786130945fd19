// The ops key reaches the page in the fragment (/ops#key=...), which no server ever sees, or is typed. It is exchanged at once for a session (session.ts) and
// kept nowhere. It is taken out of the address bar, so that a link sent to a colleague carries the view and never the key.

export interface KeyPage {
  readonly hash: string;
  replaceHash(hash: string): void;
}

/** Takes a key out of the fragment; null when there is none. */
export function takeKey(page: KeyPage): string | null {
  const parts = page.hash.replace(/^#/, "").split("&").filter(Boolean);
  const given = parts.find((part) => part.startsWith("key="));
  if (given === undefined) return null;
  page.replaceHash(parts.filter((part) => part !== given).join("&"));
  return decoded(given.slice("key=".length)).trim() || null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
