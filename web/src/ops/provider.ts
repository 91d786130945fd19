// Signing in elsewhere: the operator may have named an OpenID provider, and the server says with ?signin= why somebody came back from it without a session.

/** What a sign-in came to that came to nothing. */
export type Failure = "refused" | "failed" | "unavailable";

export interface SearchPage {
  readonly search: string;
  replaceSearch(search: string): void;
}

/** What people call the provider; "" when there is none. */
export function providerName(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="sign-in"]')?.content ?? "";
}

/** Takes what came of a sign-in out of the address, so that reloading the page does not say it again; null when there is nothing. */
export function takeFailure(page: SearchPage): Failure | null {
  const said = new URLSearchParams(page.search);
  const code = said.get("signin");
  if (code === null) return null;
  said.delete("signin");
  page.replaceSearch(said.toString());
  return code === "refused" || code === "unavailable" ? code : "failed";
}
