// Asks for the key when the link did not bring one, or when the one it brought is refused.

export function SignIn({ refused, onKey }: { refused: boolean; onKey: (key: string) => void }) {
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
        <p>The live map of your couriers. {refused ? "" : "It needs an ops key."}</p>
        {refused ? <p class="is-late" role="alert">This key is not valid (any more), or it may not see the live map.</p> : null}
        <label>Ops key<input name="key" type="password" autocomplete="off" autofocus required /></label>
        <button type="submit" class="primary wide">Show the map</button>
        <p class="soft">
          <code>hotfoot keys create --merchant NAME --role ops</code> makes one. It stays in this tab and is forgotten with it.
        </p>
      </form>
    </main>
  );
}
