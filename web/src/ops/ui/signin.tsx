// Asks for the key when the link did not bring one, or when the one it brought is refused; where there is a provider, one may sign in there instead.

import type { Failure } from "../provider.ts";
import type { Entry } from "../session.ts";

const words: Record<Exclude<Entry, "in">, string> = {
  refused: "This key is not valid (any more), or it may not see the live map.",
  unreachable: "The server cannot be reached. Try again in a moment.",
};

const failureWords: Record<Failure, (provider: string) => string> = {
  refused: (provider) => `${provider} knows you, but you are not among those who may see the live map. Ask whoever looks after accounts.`,
  failed: (provider) => `Signing in with ${provider} did not work. Try again, and finish within ten minutes.`,
  unavailable: (provider) => `Signing in with ${provider} does not work at the moment. Try again in a minute, or use a key.`,
};

interface SignInProps {
  entry: Entry | null;
  failure: Failure | null;
  provider: string;
  onKey: (key: string) => void;
}

export function SignIn({ entry, failure, provider, onKey }: SignInProps) {
  let problem = entry === null || entry === "in" ? null : words[entry];
  if (entry === null && failure) problem = failureWords[failure](provider || "the provider");
  return (
    <main class="signin">
      <form
        class="signin-card"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const key = String(new FormData(event.currentTarget).get("key") ?? "").trim();
          if (key !== "") onKey(key);
        }}
      >
        <h1>Hotfoot</h1>
        <p>The live map of your couriers. {problem ? "" : provider ? "Sign in, or use an ops key." : "It needs an ops key."}</p>
        {problem ? <p class="is-late" role="alert">{problem}</p> : null}
        {provider ? <a class="button primary wide centred" href="/v1/session/oidc">Sign in with {provider}</a> : null}
        <label>Ops key<input name="key" type="password" autocomplete="off" autofocus={!provider} required /></label>
        <button type="submit" class={provider ? "wide" : "primary wide"}>Show the map</button>
        <p class="soft">
          <code>hotfoot keys create --merchant NAME --role ops</code> makes one. It is not kept: this browser stays signed in for twelve hours, or until you sign out.
        </p>
      </form>
    </main>
  );
}
