// Asks for the key when the link did not bring one, or when the one it brought is refused.

import type { Entry } from "../session.ts";

const words: Record<Exclude<Entry, "in">, string> = {
  refused: "This key is not valid (any more), or it may not see the live map.",
  unreachable: "The server cannot be reached. Try again in a moment.",
};

export function SignIn({ entry, onKey }: { entry: Entry | null; onKey: (key: string) => void }) {
  const problem = entry === null || entry === "in" ? null : words[entry];
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
        <p>The live map of your couriers. {problem ? "" : "It needs an ops key."}</p>
        {problem ? <p class="is-late" role="alert">{problem}</p> : null}
        <label>Ops key<input name="key" type="password" autocomplete="off" autofocus required /></label>
        <button type="submit" class="primary wide">Show the map</button>
        <p class="soft">
          <code>hotfoot keys create --merchant NAME --role ops</code> makes one. It is not kept: this browser stays signed in for twelve hours, or until you sign out.
        </p>
      </form>
    </main>
  );
}
