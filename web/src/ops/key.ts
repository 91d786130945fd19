// The ops key reaches the page in the fragment (/ops#key=...), which no server ever sees. It is kept for this tab only and
// taken out of the address bar at once, so that a link sent to a colleague carries the view and never the key.

const slot = "hotfoot.ops.key";

export interface KeyPage {
  readonly hash: string;
  replaceHash(hash: string): void;
  readonly storage: Pick<Storage, "getItem" | "setItem">;
}

/** Moves a key from the fragment into the tab's storage and answers the key this tab has, if any. */
export function takeKey(page: KeyPage): string | null {
  const parts = page.hash.replace(/^#/, "").split("&").filter(Boolean);
  const given = parts.find((part) => part.startsWith("key="));
  if (given !== undefined) {
    page.replaceHash(parts.filter((part) => part !== given).join("&"));
    const key = decoded(given.slice("key=".length)).trim();
    if (key !== "") page.storage.setItem(slot, key);
  }
  return page.storage.getItem(slot);
}

export function keepKey(page: KeyPage, key: string): void {
  page.storage.setItem(slot, key.trim());
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
